/* What the rooms Signing and Net (and the sandbox, for its own) see of OpenSSL. The functions below translate macros that
 * Swift cannot import; they decide nothing. */
#pragma once
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

static inline long cs_ssl_ctx_set_min_version(SSL_CTX *ctx, int version) { return SSL_CTX_set_min_proto_version(ctx, version); }
static inline long cs_ssl_ctx_set_max_version(SSL_CTX *ctx, int version) { return SSL_CTX_set_max_proto_version(ctx, version); }
static inline long cs_ssl_ctx_set_mode(SSL_CTX *ctx, long mode) { return SSL_CTX_set_mode(ctx, mode); }
static inline long cs_ssl_ctx_set_session_cache_mode(SSL_CTX *ctx, long mode) { return SSL_CTX_set_session_cache_mode(ctx, mode); }
static inline void cs_ssl_ctx_set_read_ahead(SSL_CTX *ctx, int yes) { SSL_CTX_set_read_ahead(ctx, yes); }
static inline long cs_ssl_set_server_name(SSL *ssl, const char *name) { return SSL_set_tlsext_host_name(ssl, (char *)name); }
static inline unsigned long cs_ssl_op_no_renegotiation(void) { return SSL_OP_NO_RENEGOTIATION; }
static inline unsigned long cs_ssl_op_no_compression(void) { return SSL_OP_NO_COMPRESSION; }
static inline X509 *cs_ssl_get_peer_certificate(const SSL *ssl) { return SSL_get1_peer_certificate(ssl); }
static inline unsigned long cs_ssl_op_no_ticket(void) { return SSL_OP_NO_TICKET; }
static inline unsigned long cs_ssl_op_cipher_server_preference(void) { return SSL_OP_CIPHER_SERVER_PREFERENCE; }
static inline unsigned long cs_ssl_op_prioritize_chacha(void) { return SSL_OP_PRIORITIZE_CHACHA; }
