# SPDX-License-Identifier: MIT
"""The tests of a built tree: what they need built, and whether they fail."""

import json
import os
import signal
import subprocess
import sys
import time

# A hang has been noticed, too. Nothing is judged by its time: these limits
# are far above what any test takes.
HANG = 20

# What may notice, but core's own tests and the models, in this order. Tests
# of the build, of documents and of Xen look at something else; `format` would
# find damages by their layout.
LABELS = ("unit", "process", "agent")


class Test:
    """One of CTest's."""

    def __init__(self, entry):
        properties = {p["name"]: p["value"] for p in entry["properties"]}
        self.name = entry["name"]
        self.command = entry.get("command", [])
        self.labels = properties.get("LABELS", [])
        self.serial = bool(properties.get("RUN_SERIAL"))
        self.folder = properties.get("WORKING_DIRECTORY")
        self.skip = properties.get("SKIP_RETURN_CODE")
        self.environment = dict(
            pair.split("=", 1) for pair in properties.get("ENVIRONMENT", []))
        self.limit = HANG * 4

    def is_model(self):
        """Of weak memory, as other CPUs than this one have it?"""
        return (self.name.startswith("model_") and
                self.name != "model_loosened")

    def is_core(self):
        """Of core alone?  Models are, too."""
        return self.name.startswith("core_") or self.is_model()

    def is_steady(self):
        """Does it say the same each time?  Threads do not."""
        return not any(word in self.name
                       for word in ("stress", "race", "own_lanes"))

    def may_notice(self):
        """Is it one that a damage can make fail?"""
        return self.is_core() or (
            bool(set(self.labels) & set(LABELS)) and
            not set(self.labels) & {"proof", "build"})

    def rank(self):
        """In which order they are tried."""
        if self.is_core():
            return -2 if self.is_steady() else -1
        return min(LABELS.index(label) for label in self.labels
                   if label in LABELS)


class Suite:
    """All that can notice a damage."""

    def __init__(self, tree, build, jobs):
        self.tree, self.folder, self.jobs = tree, build, jobs
        self.tests = []

    def has_models(self):
        """Is weak memory modelled here?"""
        return any(test.is_model() for test in self.tests)

    def configure(self):
        """Once; what changes later is noticed by the build."""
        # A damage that leaves something unused is to be found by a test.
        self.must(["cmake", "-G", "Ninja", "-S", self.tree, "-B", self.folder,
                   "-DCMAKE_BUILD_TYPE=Release",
                   "-DCMAKE_C_FLAGS_RELEASE=-O1 -w", "-DBUILD_TESTING=ON",
                   "-DVMRING_PROOF_TESTS=ON"])

    def use_likely(self, damages):
        """For a sample: of core's tests those tried first, and no more."""
        self.tests = [test for test in self.listed()
                      if test.is_core() and test.is_steady()]
        self.use({test.name for damage in damages
                  for stage in self.stages(damage, [damage.first])[:1]
                  for test in stage})

    def use_core(self, damages):
        """Core's own tests, and of the models those that are named."""
        named = {damage.first for damage in damages if damage.ordering}
        only_models = all(damage.ordering for damage in damages)
        self.use({test.name for test in self.listed()
                  if test.is_core() and (test.name in named or not (
                      only_models or test.is_model()))})

    def use_others(self, damages):
        """All that may notice and have not been used."""
        used = {test.name for test in self.tests}
        if any(not damage.ordering for damage in damages):
            self.ninja(["all"])
        self.use({test.name for test in self.listed()
                  if test.name not in used and (
                      test.is_model() or
                      not all(damage.ordering for damage in damages))})

    def use(self, names):
        """Builds these tests, and keeps those that pass."""
        programs = {f"tests/test_{name}" for name in names}
        if any(name.startswith("core_stress") for name in names):
            programs.add("tests/test_core_stress")
        if any(name.startswith("model_") for name in names):
            programs.add("tests/model/model")
        self.ninja(sorted(programs & self.targets()))
        # CTest knows the commands of what is built.
        self.tests = [test for test in self.listed()
                      if test.name in names and test.command]
        self.tests.sort(key=Test.rank)
        self.tests = [test for test in self.tests if self.passes(test)]

    def listed(self):
        """What can notice a damage, of what CTest has."""
        listed = subprocess.run(
            ["ctest", "--show-only=json-v1"], cwd=self.folder, check=True,
            capture_output=True)
        tests = [Test(entry) for entry in json.loads(listed.stdout)["tests"]]
        return [test for test in tests if test.may_notice()]

    def passes(self, test):
        """Without a damage, and how long it takes."""
        begun = time.monotonic()
        how = self.run(test, keep_skipped=True)
        test.limit = HANG + 10 * (time.monotonic() - begun)
        if how:
            print(f"{test.name}: {how} without any damage; left out",
                  flush=True)
        return not how

    def stages(self, damage, likely):
        """Tests by how likely they notice: its file's, core's, all."""
        if damage.ordering:
            models = [test for test in self.tests if test.is_model()]
            stages = [[test for test in models if test.name in likely],
                      [test for test in models if test.name not in likely]]
            return [stage for stage in stages if stage]
        stem = damage.file.split(".")[0]
        stem = "verdict" if stem.endswith("_check") else stem.split("_")[0]
        guesses = [
            lambda test: test.name in likely,
            lambda test: test.name.startswith(f"core_{stem}") and
            test.is_steady(),
            lambda test: test.is_core() and not test.is_model(),
        ] + [lambda test, label=label: label in test.labels
             for label in LABELS]
        stages, left = [], list(self.tests)
        for guess in guesses:
            stage = [test for test in left if guess(test)]
            left = [test for test in left if not guess(test)]
            if stage:
                stages.append(stage)
        return stages

    def build(self, tests):
        """What these tests run; scripts may run anything that there is."""
        inside, targets = str(self.folder) + os.sep, []
        for test in tests:
            if test.command[0].startswith(inside):
                targets.append(os.path.relpath(test.command[0], self.folder))
            elif any(str(self.folder) in word for word in test.command):
                targets.append("all")
        if targets:
            self.ninja(dict.fromkeys(targets))

    def targets(self):
        """All that can be built."""
        listed = self.must(["ninja", "-C", self.folder, "-t", "targets", "all"])
        return {line.split(":")[0] for line in listed.splitlines()}

    def ninja(self, targets):
        """Builds."""
        self.must(["ninja", "-C", self.folder, f"-j{self.jobs}", *targets])

    def must(self, command):
        """Runs what may not fail: a damage that does not compile is none.

        Returns what it printed.
        """
        result = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            check=False, text=True, errors="replace")
        if result.returncode:
            print(result.stdout[-4000:])
            sys.exit(f"failed: {' '.join(map(str, command))}")
        return result.stdout

    def run(self, test, keep_skipped=False):
        """None: it passed; else how it failed."""
        with subprocess.Popen(
                test.command, cwd=test.folder, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env={**os.environ, **test.environment},
                start_new_session=True) as process:
            try:
                status = process.wait(test.limit)
            except subprocess.TimeoutExpired:
                status = "hung"
            finally:
                # Whatever it has started goes with it.
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        if status == 0 or (status == test.skip and not keep_skipped):
            return None
        if status == "hung":
            return status
        if status < 0:
            return signal.Signals(-status).name
        return "failed" if status != test.skip else "skipped"
