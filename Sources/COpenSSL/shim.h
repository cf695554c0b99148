// OpenSSL 3 (libcrypto) as Swift sees it. Macros that Swift cannot import appear here as constants.
#ifndef CARNET_COPENSSL_SHIM_H
#define CARNET_COPENSSL_SHIM_H

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

static const int CARNET_EVP_PKEY_PUBLIC_KEY = EVP_PKEY_PUBLIC_KEY;
static const int CARNET_EVP_PKEY_KEYPAIR = EVP_PKEY_KEYPAIR;
static const unsigned long CARNET_XN_FLAG_RFC2253 = XN_FLAG_RFC2253;

// STACK_OF(X509) is a family of macros; these are the three that chain building needs.
static inline STACK_OF(X509) *carnet_x509_stack_new(void) { return sk_X509_new_null(); }
static inline int carnet_x509_stack_push(STACK_OF(X509) *stack, X509 *certificate) {
    return X509_up_ref(certificate) == 1 && sk_X509_push(stack, certificate) > 0;
}
static inline void carnet_x509_stack_free(STACK_OF(X509) *stack) { sk_X509_pop_free(stack, X509_free); }

#endif
