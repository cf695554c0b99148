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

#endif
