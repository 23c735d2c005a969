/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where things are in an image, in bytes from its start, and in SIGSTRUCT, in bytes from
 * its own. Everything is little endian. Containers: Linux
 * arch/x86/virt/vmx/tdx/seamldr.c (0x200), all published images (0x100). SIGSTRUCT: the
 * published P-SEAMLDR source, seam_sigstruct.h.
 */
#ifndef IMAGE_FORMAT_H
#define IMAGE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tdxupd.h"

#define IMAGE_MAGIC       "TDX-BLOB"
#define IMAGE_MAGIC_BYTES 8

/* page 0, both containers */
#define IMAGE_VERSION  0  /* u16 */
#define IMAGE_CHECKSUM 2  /* u16 */
#define IMAGE_RESERVED 20 /* to the page's end */
/* 0x100 */
#define IMAGE_V1_MODULE_OFFSET 4 /* u32 */
#define IMAGE_V1_MAGIC         8
#define IMAGE_V1_LENGTH        16 /* u32 */
/* 0x200 */
#define IMAGE_V2_MAGIC           4
#define IMAGE_V2_SIGSTRUCT_PAGES 12 /* u32 */
#define IMAGE_V2_MODULE_PAGES    16 /* u32 */

#define IMAGE_SIGSTRUCT TDXUPD_PAGE_BYTES /* then zeros up to the page's end */
#define IMAGE_MODULE    (2 * TDXUPD_PAGE_BYTES)

#define SIGSTRUCT_HEADER_TYPE    0    /* u32 */
#define SIGSTRUCT_HEADER_LENGTH  4    /* u32 */
#define SIGSTRUCT_HEADER_VERSION 8    /* u32 */
#define SIGSTRUCT_MODULE_TYPE    12   /* u32, bit 31: debug */
#define SIGSTRUCT_VENDOR         16   /* u32 */
#define SIGSTRUCT_DATE           20   /* u32, BCD */
#define SIGSTRUCT_SIZE           24   /* u32, dwords */
#define SIGSTRUCT_KEY_SIZE       28   /* u32, dwords */
#define SIGSTRUCT_MODULUS_SIZE   32   /* u32, dwords */
#define SIGSTRUCT_EXPONENT_SIZE  36   /* u32, dwords */
#define SIGSTRUCT_RESERVED_0     40   /* 88 bytes */
#define SIGSTRUCT_MODULUS        128  /* 384 bytes */
#define SIGSTRUCT_EXPONENT       512  /* u32 */
#define SIGSTRUCT_SIGNATURE      516  /* 384 bytes */
#define SIGSTRUCT_SEAMHASH       900  /* 48 bytes; signed from here on */
#define SIGSTRUCT_SVN            948  /* u16 */
#define SIGSTRUCT_ATTRIBUTES     950  /* u64 */
#define SIGSTRUCT_RESERVED_1     978  /* 6 bytes */
#define SIGSTRUCT_MODULE_HV      984  /* u16 */
#define SIGSTRUCT_MIN_UPDATE_HV  986  /* u16 */
#define SIGSTRUCT_NO_DOWNGRADE   988  /* u8 */
#define SIGSTRUCT_RESERVED_2     989  /* u8 */
#define SIGSTRUCT_HANDOFF_PAGES  990  /* u16, minus 1 */
#define SIGSTRUCT_CPU_COUNT      1024 /* u32 */
#define SIGSTRUCT_CPUS           1028 /* u32 each */

#define SIGSTRUCT_HEADER_TYPE_SEAM    6u
#define SIGSTRUCT_HEADER_LENGTH_VALUE 0xe1u
#define SIGSTRUCT_HEADER_VERSION_1_0  0x10000u
#define SIGSTRUCT_VENDOR_INTEL        0x8086u
#define SIGSTRUCT_SIZE_DWORDS         (TDXUPD_SIGSTRUCT_BYTES / 4)
#define SIGSTRUCT_RSA_DWORDS          0x60u
#define SIGSTRUCT_RSA_BYTES           (4 * SIGSTRUCT_RSA_DWORDS)
#define SIGSTRUCT_EXPONENT_DWORDS     1u
#define SIGSTRUCT_EXPONENT_VALUE      65537u
#define SIGSTRUCT_TYPE_DEBUG          (1u << 31)

/* What the signature covers: all but modulus, exponent and signature. */
#define SIGSTRUCT_SIGNED_HEAD  SIGSTRUCT_MODULUS
#define SIGSTRUCT_SIGNED_TAIL  (TDXUPD_SIGSTRUCT_BYTES - SIGSTRUCT_SEAMHASH)
#define SIGSTRUCT_SIGNED_BYTES (SIGSTRUCT_SIGNED_HEAD + SIGSTRUCT_SIGNED_TAIL)

/* Sum of all little-endian u16 words modulo 65536; an image's is 0. */
uint16_t image_sum(const uint8_t *bytes, size_t count);

/*
 * Verdicts on page 0 and on the file's size. @ret_has_layout: SIGSTRUCT and module are
 * where they should be, so that the rest can be looked at. Return: 0, -ENOMEM.
 */
int image_check_container(const uint8_t *bytes, size_t count,
			  struct tdxupd_report *report, bool *ret_has_layout);

/* Verdicts on the TDXUPD_SIGSTRUCT_BYTES at @sigstruct. Return: 0, -ENOMEM. */
int image_check_sigstruct(const uint8_t *sigstruct, struct tdxupd_report *report);
/* Fill in what SIGSTRUCT says. Return: 0, -ENOMEM. */
int image_read_sigstruct(const uint8_t *sigstruct, struct tdxupd_image *image);

#endif
