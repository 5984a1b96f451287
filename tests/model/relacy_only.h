/* SPDX-License-Identifier: MIT */
/* Relacy without the macros that it puts in the way of everything else. */
#ifndef VMRING_TESTS_MODEL_RELACY_ONLY_H
#define VMRING_TESTS_MODEL_RELACY_ONLY_H

#include <relacy/relacy.hpp>

#undef new
#undef delete
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef assert
#undef errno

#endif /* VMRING_TESTS_MODEL_RELACY_ONLY_H */
