#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Description: bash completes options, events, endpoints and the rest as the
# programs have them, and none that they have not.
import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import time

build, source = sys.argv[1:]
script = source + "/completion/vmring.bash"
failed = False


def check(good, *what):
    global failed
    if not good:
        failed = True
        print("FAILED:", *what)


def words_of(line):
    """As bash cuts it for COMP_WORDS, with its own COMP_WORDBREAKS."""
    words = re.findall(r"'[^']*'?|[:=]+|[^\s:='][^\s:=]*", line)
    return words + [""] if line[-1] == " " else words


def offered(lines, env):
    """What there is at the end of each of these lines."""
    text = ["source %s" % script, "compopt() { :; }"]
    for line in lines:
        words = words_of(line)
        text.append("COMP_WORDS=(%s)" % " ".join(
            "'%s'" % word.replace("'", "'\\''") for word in words))
        text.append("COMP_CWORD=%d COMP_LINE='%s' COMP_POINT=%d" % (
            len(words) - 1, line.replace("'", "'\\''"), len(line)))
        text.append("COMPREPLY=(); _vmring %s" % words[0])
        text.append("printf '%s\\n' \"${COMPREPLY[@]}\"; echo ---")
    done = subprocess.run(["bash", "-c", "\n".join(text)], env=env, text=True,
                          stdout=subprocess.PIPE, timeout=300, check=True,
                          cwd=os.path.dirname(env["VMRING_COMPLETION_RUN"]))
    return [set(part.split("\n")) - {""}
            for part in done.stdout.split("---\n")[:-1]]


def options_of(program, env):
    """The options of --help, and what their arguments are called there."""
    text = subprocess.run([program, "--help"], env=env, text=True,
                          stdout=subprocess.PIPE, timeout=60, check=True).stdout
    return {name: (short[:2], argument) for short, name, argument in re.findall(
        r"^ +(-\w, )?(--[a-z-]+)(\[?=\S+)?", text, re.M)}


CASES = {
    "vmring-agent --qu": {"--quiet"},
    "vmring-agent --format=": {"text", "json"},
    "vmring-agent --format=j": {"json"},
    "vmring-agent -f ": {"text", "json"},
    "vmring-agent --end-within n": {"none"},
    "vmring-agent --policy o": {"overwrite"},
    "vmring-agent -e cp": {"cpuid"},
    "vmring-agent -e cpuid,cr": {"cpuid,cr0", "cpuid,cr3", "cpuid,cr4"},
    "vmring-agent -e 'cpuid ms": {"cpuid msr"},
    "vmring-agent -e cr3:": {"sync", "async", "onchange"},
    "vmring-agent -e cr3:a": {"async"},
    "vmring-agent -F 'leaf == 1 and vc": {"leaf == 1 and vcpu"},
    "vmring-agent -F ms": {"msr", "msr_efer", "msr_star", "msr_lstar"},
    "vmring-agent --filter=subl": {"subleaf"},
    "vmring-agent -n ": set(),
    "vmring-agent s": {"sim:"},
    "vmring-agent sim:h": {"help"},
    "vmring-agent sim:vc": {"vcpus="},
    "vmring-agent sim:vcpus=2,cou": {"2,count="},
    "vmring-agent sim:start=": {"subscribe", "now"},
    "vmring-agent lo": {"local:", "/5.sock"},
    "vmring-agent -q w": {"web1"},
    # Of names that a shell would take apart the id, and nothing by a pattern.
    "vmring-agent domain:": {"7", "8", "9", "10", "11", "web1"},
    "vmring-agent domain:*": set(),
    "vmring-agent -e 'q//;1e>planted;#:": set(),
    "vmring-agent local:": {"/5.sock"},
    "vmring-agent --deny c": {"cr0:", "cr3", "cr4:"},
    "vmring-bridge --allow-verdicts deny,s": {"deny,set_registers",
                                              "deny,step"},
    "vmring-bridge --allow-events cpuid,cr": {"cpuid,cr0", "cpuid,cr3",
                                              "cpuid,cr4"},
    "vmring-bridge --on-deadline ": {"neutral", "pause"},
    "vmring-bridge --recover=": {"force"},
    "vmring-bridge sim:on": set(),
    "vmring-bridge we": {"web1"},
    # What may stand alone takes no word after it.
    "vmring-agent --sort s": {"sim:"},
    "vmring-bridge --recover 7": {"7"},
    "vmring-bridge -q --listen l": {"local:"},
}

# Arguments that the completion knows, and those that are numbers.
KNOWN = {"EVENTS", "LIST", "EXPR", "RULE", "FILE", "DOMAIN", "NAME"}
NUMBERS = {"COUNT", "TIME", "N", "OCTAL", "MS", "SECONDS"}

with tempfile.TemporaryDirectory() as folder:
    for program in ("agent", "bridge"):
        os.symlink("%s/%s/vmring-%s" % (build, program, program),
                   "%s/vmring-%s" % (folder, program))
    os.mkdir(folder + "/run")
    for name in ("5.sock", "a;touch planted;.sock", "$(touch planted).sock"):
        open("%s/run/%s" % (folder, name), "w").close()
    with open(folder + "/xl", "w") as xl:
        xl.write("#!/bin/sh\necho 'Name ID Mem VCPUs State Time(s)'\n"
                 "echo 'Domain-0 0 1 1 r 1'\necho 'web1 7 1 1 r 1'\n"
                 "echo 'w$(touch${IFS}planted) 8 1 1 r 1'\n"
                 "echo '* 9 1 1 r 1'\necho 'two words 10 1 1 r 1'\n"
                 "echo '-w 11 1 1 r 1'\n")
    os.chmod(folder + "/xl", 0o755)
    env = dict(os.environ, PATH=folder + ":" + os.environ["PATH"], LC_ALL="C",
               VMRING_COMPLETION_RUN=folder + "/run")
    for name in ("ARGP_HELP_FMT", "COLUMNS"):
        env.pop(name, None)

    for (line, wanted), got in zip(CASES.items(), offered(CASES, env)):
        # Of a path its end will do.
        got = {"/5.sock" if "/5.sock" in one else one for one in got}
        check(got == wanted, "'%s': %s" % (line, sorted(got)))

    check(not os.path.exists(folder + "/planted"), "what was typed has run")

    # All options of --help, and no others.
    for program in ("vmring-agent", "vmring-bridge"):
        options = options_of(program, env)
        check(len(options) > 15, program, "has few options:", options)
        got, = offered([program + " --"], env)
        check({one.rstrip("=") for one in got} == set(options), program, got)
        takes = {name + "=" for name, (_, what) in options.items() if what}
        check({one for one in got if one[-1] == "="} == takes, program, got)
        for name, (_, argument) in options.items():
            argument = re.sub(r"\[[k|mg]+\]$", "", argument).strip("[]=")
            for part in argument.split("|"):
                check(not part or part.islower() or part in KNOWN | NUMBERS
                      or part.startswith("local:"),
                      "completion knows no", argument, "of", name)

    # By bash itself: what is typed is completed, and then runs.
    child, terminal = pty.fork()
    if child == 0:
        env["PS1"] = "ready> "
        os.execvpe("bash", ["bash", "--noprofile", "--norc", "-i"], env)

    def type_and_wait(text, wanted):
        seen, end = "", time.monotonic() + 120
        os.write(terminal, text.encode())
        while wanted not in seen and time.monotonic() < end:
            if select.select([terminal], [], [], 1)[0]:
                try:
                    seen += os.read(terminal, 4096).decode(errors="replace")
                except OSError:
                    break
        check(wanted in seen, "typed %r, no %r in %r" % (text, wanted, seen))

    type_and_wait("", "ready> ")
    type_and_wait("source %s; echo so\"urced\"\n" % script, "sourced")
    type_and_wait("complete -p vmring-agent vmring-bridge; echo li\"sted\"\n",
                  "-F _vmring vmring-bridge\r\nlisted")
    type_and_wait("vmring-agent --quie\t -n 5 sim:vcp\t3,cou\t\t5\n",
                  " 3 vCPUs, discard newest, ")
    type_and_wait("exit\n", "exit")
    os.waitpid(child, 0)

sys.exit(failed)
