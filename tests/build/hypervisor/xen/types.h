/* SPDX-License-Identifier: MIT */
/*
 * What Xen's own xen/types.h and what it includes have, as far as core/ uses
 * it: in no other header of it may core/ look.
 */
#ifndef __TYPES_H__
#define __TYPES_H__

typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __INT8_TYPE__ int8_t;
typedef __INT16_TYPE__ int16_t;
typedef __INT32_TYPE__ int32_t;
typedef __INT64_TYPE__ int64_t;
typedef __UINTPTR_TYPE__ uintptr_t;
typedef __SIZE_TYPE__ size_t;

#define UINT32_MAX 4294967295U

#define NULL ((void *)0)

#define bool _Bool
#define true 1
#define false 0

#endif /* __TYPES_H__ */
