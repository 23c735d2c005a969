// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the model needs of a kernel (tdx-model-port.h): memory, SHA-384 of the crypto API,
 * the raw RSA operation on the kernel's MPIs, random numbers.
 */
#include <crypto/hash.h>
#include <linux/err.h>
#include <linux/mpi.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "tdx-model-port.h"

void *tdx_port_alloc(size_t bytes)
{
	return kvzalloc(bytes, GFP_KERNEL);
}

void tdx_port_free(void *memory)
{
	kvfree(memory);
}

struct tdx_port_sha384 {
	struct crypto_shash *tfm;
	struct shash_desc desc;
};

int tdx_port_sha384_new(struct tdx_port_sha384 **ret)
{
	struct crypto_shash *tfm = crypto_alloc_shash("sha384", 0, 0);
	struct tdx_port_sha384 *sha;

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);

	sha = kzalloc(sizeof(*sha) + crypto_shash_descsize(tfm), GFP_KERNEL);
	if (!sha) {
		crypto_free_shash(tfm);
		return -ENOMEM;
	}

	sha->tfm = tfm;
	sha->desc.tfm = tfm;
	tdx_port_sha384_start(sha);
	*ret = sha;
	return 0;
}

void tdx_port_sha384_free(struct tdx_port_sha384 *sha)
{
	if (!sha)
		return;

	crypto_free_shash(sha->tfm);
	kfree_sensitive(sha);
}

/* A synchronous software hash of memory cannot fail once there is a transform. */
void tdx_port_sha384_start(struct tdx_port_sha384 *sha)
{
	WARN_ON_ONCE(crypto_shash_init(&sha->desc));
}

void tdx_port_sha384_add(struct tdx_port_sha384 *sha, const void *bytes, size_t count)
{
	WARN_ON_ONCE(crypto_shash_update(&sha->desc, bytes, count));
}

void tdx_port_sha384_finish(struct tdx_port_sha384 *sha, u8 ret[TDX_PORT_SHA384_BYTES])
{
	WARN_ON_ONCE(crypto_shash_final(&sha->desc, ret));
}

/* @ret = @value, big endian and padded with zeros in front. */
static int write_number(MPI value, u8 *ret)
{
	unsigned int bytes;
	u8 *buffer;
	int sign, error = 0;

	buffer = mpi_get_buffer(value, &bytes, &sign);
	if (!buffer)
		return -ENOMEM;

	if (bytes > TDX_PORT_RSA_BYTES) {
		error = -EBADMSG;
	} else {
		memset(ret, 0, TDX_PORT_RSA_BYTES - bytes);
		memcpy(ret + TDX_PORT_RSA_BYTES - bytes, buffer, bytes);
	}

	kfree(buffer);
	return error;
}

int tdx_port_rsa_public(const u8 *modulus, u32 exponent, const u8 *in, u8 *ret)
{
	__be32 exponent_bytes = cpu_to_be32(exponent);
	MPI n, m, e, c;
	int error = -ENOMEM;

	n = mpi_read_raw_data(modulus, TDX_PORT_RSA_BYTES);
	m = mpi_read_raw_data(in, TDX_PORT_RSA_BYTES);
	e = mpi_read_raw_data(&exponent_bytes, sizeof(exponent_bytes));
	c = mpi_alloc(0);
	if (!n || !m || !e || !c)
		goto out;

	error = -EBADMSG;
	if (!(modulus[TDX_PORT_RSA_BYTES - 1] & 1) || mpi_cmp(m, n) >= 0)
		goto out;

	error = mpi_powm(c, m, e, n) ?: write_number(c, ret);
out:
	mpi_free(n);
	mpi_free(m);
	mpi_free(e);
	mpi_free(c);
	return error;
}

void tdx_port_random(void *ret, size_t count)
{
	get_random_bytes(ret, count);
}
