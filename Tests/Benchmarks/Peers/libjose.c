// Verifies one token many times with José's library (libjose), its key read once into a jansson object.
// Arguments: token file, PEM file, JWK file, issuer, audience. Prints microseconds per verification.
#include "peer.h"
#include <jansson.h>
#include <jose/b64.h>
#include <jose/jws.h>

static const char *text(json_t *object, const char *name) {
    const char *value = json_string_value(json_object_get(object, name));
    return value == NULL ? "" : value;
}

int main(int count, char **arguments) {
    if (count != 6) return 2;
    char *token = peer_read(arguments[1]);
    json_t *key = json_load_file(arguments[3], 0, NULL);
    char *first = strchr(token, '.'), *last = strrchr(token, '.');
    if (key == NULL || first == NULL || last == first) return 2;
    int rounds = 0;
    double start = peer_seconds(), elapsed = 0;
    while (elapsed < PEER_SECONDS) {
        for (int i = 0; i < 50; i++, rounds++) {
            json_t *jws = json_pack("{s:s%,s:s%,s:s}", "protected", token, (size_t)(first - token), "payload",
                                    first + 1, (size_t)(last - first - 1), "signature", last + 1);
            if (jws == NULL || !jose_jws_ver(NULL, jws, NULL, key, false)) return 1;
            json_t *claims = jose_b64_dec_load(json_object_get(jws, "payload"));
            if (claims == NULL || strcmp(text(claims, "iss"), arguments[4]) != 0) return 1;
            if (strcmp(json_string_value(json_array_get(json_object_get(claims, "aud"), 0)), arguments[5]) != 0) return 1;
            if (json_integer_value(json_object_get(claims, "exp")) <= time(NULL)) return 1;
            if (json_integer_value(json_object_get(claims, "nbf")) > time(NULL)) return 1;
            json_decref(claims);
            json_decref(jws);
        }
        elapsed = peer_seconds() - start;
    }
    printf("%.3f\n", elapsed * 1e6 / rounds);
    return 0;
}
