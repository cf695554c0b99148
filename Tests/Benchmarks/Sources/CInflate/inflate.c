#include "CInflate.h"
#include <zlib.h>

size_t carnet_deflate(const uint8_t *bytes, size_t count, uint8_t *out, size_t capacity) {
    uLongf written = capacity;
    return compress2(out, &written, bytes, count, 9) == Z_OK ? written : 0;
}

int carnet_inflate(const uint8_t *bytes, size_t count, uint8_t *out, size_t expected) {
    uLongf written = expected;
    return uncompress(out, &written, bytes, count) == Z_OK && written == expected;
}
