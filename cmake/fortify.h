/* SPDX-License-Identifier: MIT */
/*
 * fortify.h: what glibc checks at run time, where nobody has said otherwise.
 *
 * Included before each file: the compiler itself knows whether it optimises,
 * without which there is no such check, and whether a distribution, its own
 * defaults or whoever builds has chosen a level.
 */
#if defined(__OPTIMIZE__) && !defined(_FORTIFY_SOURCE)
#define _FORTIFY_SOURCE 2
#endif
