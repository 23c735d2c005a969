// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reference values as a CoMID in JSON, as tools take it to make the CBOR of a CoRIM
 * (draft-ietf-rats-corim): reference-value triples of an environment and its
 * measurements. Not signed, not CBOR.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "json.h"

#define BYTES_MAX        48
#define BASE64_BYTES_MAX (4 * (BYTES_MAX / 3) + 1)

/* ---- bytes ---- */

static size_t parse_hex(const char *hex, uint8_t *ret)
{
	size_t count = 0;
	unsigned byte;

	for (; count < BYTES_MAX && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		ret[count++] = (uint8_t)byte;
	return count;
}

static const char *encode(const uint8_t *bytes, size_t count, char *ret)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789+/";
	char *out = ret;

	for (size_t i = 0; i < count; i += 3) {
		unsigned group = (unsigned)bytes[i] << 16;

		group |= i + 1 < count ? (unsigned)bytes[i + 1] << 8 : 0;
		group |= i + 2 < count ? bytes[i + 2] : 0;
		*out++ = digits[group >> 18];
		*out++ = digits[group >> 12 & 63];
		*out++ = i + 1 < count ? digits[group >> 6 & 63] : '=';
		*out++ = i + 2 < count ? digits[group & 63] : '=';
	}
	*out = '\0';
	return ret;
}

/* ---- measurements ---- */

/* {type, value} */
static int new_choice(const char *type, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *choice = NULL;
	int r = json_new_object(&choice) ?: json_add_text(choice, "type", type);

	if (r < 0)
		return r;
	*ret = TAKE_PTR(choice);
	return 0;
}

/* Takes @value. */
static int append(struct json_object *measurements, const char *name,
		  struct json_object *value)
{
	_cleanup_(cleanup_json)
	struct json_object *measurement = NULL;
	struct json_object *key = NULL;
	int r;

	r = json_new_object(&measurement) ?: new_choice("string", &key)
		?: json_add_text(key, "value", name)
		?: json_add(measurement, "key", key);
	if (r < 0) {
		json_object_put(value);
		return r;
	}
	r = json_add(measurement, "value", value);
	return r < 0 ? r : json_append(measurements, TAKE_PTR(measurement));
}

static int append_digest(struct json_object *measurements, const char *name,
			 const char *hex)
{
	_cleanup_(cleanup_json)
	struct json_object *value = NULL;
	struct json_object *digests = NULL;
	char text[16 + BASE64_BYTES_MAX] = "sha-384;";
	uint8_t bytes[BYTES_MAX];
	int r;

	encode(bytes, parse_hex(hex ? hex : "", bytes), text + strlen(text));
	r = json_new_object(&value) ?: json_new_array(&digests)
		?: json_append_text(digests, text) ?: json_add(value, "digests", digests);
	return r < 0 ? r : append(measurements, name, TAKE_PTR(value));
}

/* A verifier that takes an SVN takes a later one. */
static int append_min_svn(struct json_object *measurements, const char *name,
			  const char *svn)
{
	_cleanup_(cleanup_json)
	struct json_object *value = NULL;
	struct json_object *choice = NULL;
	int r;

	r = json_new_object(&value) ?: new_choice("min-value", &choice)
		?: json_add_number(choice, "value", svn ? strtoul(svn, NULL, 16) : 0)
		?: json_add(value, "svn", choice);
	return r < 0 ? r : append(measurements, name, TAKE_PTR(value));
}

/* Eight bytes, the lowest first, as a quote has them. */
static int append_attributes(struct json_object *measurements, const char *attributes)
{
	_cleanup_(cleanup_json)
	struct json_object *value = NULL;
	struct json_object *choice = NULL;
	uint64_t number = attributes ? strtoull(attributes, NULL, 16) : 0;
	char text[BASE64_BYTES_MAX];
	uint8_t bytes[8];
	int r;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(number >> 8 * i);
	r = json_new_object(&value) ?: new_choice("bytes", &choice)
		?: json_add_text(choice, "value", encode(bytes, sizeof(bytes), text))
		?: json_add(value, "raw-value", choice);
	return r < 0 ? r : append(measurements, "seamattributes", TAKE_PTR(value));
}

static int append_version(struct json_object *measurements, const char *version)
{
	_cleanup_(cleanup_json)
	struct json_object *value = NULL;
	struct json_object *map = NULL;
	int r;

	r = json_new_object(&value) ?: json_new_object(&map)
		?: json_add_text(map, "value", version)
		?: json_add_text(map, "scheme", "multipartnumeric")
		?: json_add(value, "version", map);
	return r < 0 ? r : append(measurements, "tdx-module", TAKE_PTR(value));
}

static int describe_measurements(struct json_object *values, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *measurements = NULL;
	const char *svn = json_get_text(values, "svn");
	int r;

	r = json_new_array(&measurements)
		?: append_version(measurements, json_get_text(values, "version"))
		?: append_digest(measurements, "mrseam", json_get_text(values, "mrseam"))
		?: append_digest(measurements, "mrsignerseam",
				 json_get_text(values, "mrsigner_seam"))
		?: append_attributes(measurements, json_get_text(values, "attributes"))
		?: append_min_svn(measurements, "tee-tcb-svn", svn)
		?: append_min_svn(measurements, "tee-tcb-svn-2", svn);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(measurements);
	return 0;
}

/* ---- triples ---- */

static int describe_environment(struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *environment = NULL;
	struct json_object *class = NULL;
	int r;

	r = json_new_object(&environment) ?: json_new_object(&class)
		?: json_add_text(class, "vendor", "Intel Corporation")
		?: json_add_text(class, "model", "TDX module")
		?: json_add(environment, "class", class);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(environment);
	return 0;
}

static int append_triple(struct json_object *triples, struct json_object *values)
{
	_cleanup_(cleanup_json)
	struct json_object *triple = NULL;
	struct json_object *part = NULL;
	int r;

	if (!values)
		return 0;
	r = json_new_object(&triple) ?: describe_environment(&part)
		?: json_add(triple, "environment", part)
		?: describe_measurements(values, &part)
		?: json_add(triple, "measurements", part);
	return r < 0 ? r : json_append(triples, TAKE_PTR(triple));
}

int describe_corim(struct json_object *attest, const char *plan_id,
		   struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *corim = NULL;
	_cleanup_(cleanup_json)
	struct json_object *identity = NULL;
	_cleanup_(cleanup_json)
	struct json_object *triples = NULL;
	_cleanup_(cleanup_json)
	struct json_object *references = NULL;
	char tag[64];
	int r;

	snprintf(tag, sizeof(tag), "tdxupd-%s", plan_id);
	r = json_new_object(&corim) ?: json_new_object(&identity)
		?: json_new_object(&triples) ?: json_new_array(&references)
		?: json_add_text(identity, "id", tag)
		?: json_add_number(identity, "version", 0)
		?: json_add_text(corim, "lang", "en")
		?: json_add(corim, "tag-identity", TAKE_PTR(identity))
		?: append_triple(references, json_get(attest, "now"))
		?: append_triple(references, json_get(attest, "next"))
		?: json_add(triples, "reference-values", TAKE_PTR(references))
		?: json_add(corim, "triples", TAKE_PTR(triples));
	if (r < 0)
		return r;
	*ret = TAKE_PTR(corim);
	return 0;
}
