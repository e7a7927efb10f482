/* What the rooms Signing and Net (and the sandbox, for its own) see of OpenSSL. The functions below translate macros that
 * Swift cannot import; they decide nothing. */
#pragma once
#include <malloc.h>
#include <string.h>
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
static inline unsigned long cs_ssl_op_cleanse_plaintext(void) { return SSL_OP_CLEANSE_PLAINTEXT; }
static inline unsigned long cs_ssl_op_no_ticket(void) { return SSL_OP_NO_TICKET; }
static inline unsigned long cs_ssl_op_cipher_server_preference(void) { return SSL_OP_CIPHER_SERVER_PREFERENCE; }
static inline unsigned long cs_ssl_op_prioritize_chacha(void) { return SSL_OP_PRIORITIZE_CHACHA; }

/* OpenSSL's memory, wiped when it is freed: records, heads and bodies pass through it. */
static inline void *cs_wiping_malloc(size_t count, const char *file, int line) {
    (void)file;
    (void)line;
    return malloc(count);
}
static inline void cs_wiping_free(void *block, const char *file, int line) {
    (void)file;
    (void)line;
    if (!block) return;
    explicit_bzero(block, malloc_usable_size(block));
    free(block);
}
static inline void *cs_wiping_realloc(void *block, size_t count, const char *file, int line) {
    if (!block) return malloc(count);
    if (count == 0) {
        cs_wiping_free(block, file, line);
        return NULL;
    }
    size_t had = malloc_usable_size(block);
    if (count <= had && count >= had / 2) return block;
    void *fresh = malloc(count);
    if (!fresh) return NULL;
    memcpy(fresh, block, count < had ? count : had);
    cs_wiping_free(block, file, line);
    return fresh;
}
static inline int cs_wipe_freed_memory(void) {
    return CRYPTO_set_mem_functions(cs_wiping_malloc, cs_wiping_realloc, cs_wiping_free);
}

/* The secure heap. `*bytes` becomes its size. 1: locked; 0: not locked; -1: there is none. Slots are of 32 bytes, which
 * is what OpenSSL's own keys of a handshake take. */
static inline int cs_secure_heap_open(size_t *bytes) {
    static const size_t sizes[] = {16u << 20, 4u << 20, 1u << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        *bytes = sizes[i];
        int opened = CRYPTO_secure_malloc_init(*bytes, 32);
        if (opened == 1) return 1;
        if (opened == 2) CRYPTO_secure_malloc_done();
    }
    *bytes = sizes[0];
    return CRYPTO_secure_malloc_init(*bytes, 32) == 0 ? -1 : 0;
}
