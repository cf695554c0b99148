#pragma once
#include <stddef.h>
#include <stdint.h>

/// zlib's own deflate at its best level; returns the number of bytes written, 0 when they do not fit.
size_t carnet_deflate(const uint8_t *bytes, size_t count, uint8_t *out, size_t capacity);

/// zlib's own inflate into a buffer of the right size; returns whether it was.
int carnet_inflate(const uint8_t *bytes, size_t count, uint8_t *out, size_t expected);
