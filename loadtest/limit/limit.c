/* The limit: the smallest program that does the gateway's signing work, as a yardstick and not as a product.
 *
 * One thread, one edge-triggered epoll, one upstream connection per caller. A warm request costs four system calls:
 * read, writev (SSL_write with TLS), read, write. The rule is the gateway's: SHA-512 of the body in Content-sha512,
 * HMAC-SHA512 over request line, date, type, digest and length, api_key as a header; the key's inner and outer states
 * are hashed once and copied, the date is made once a second.
 * It trusts its callers: Content-Length only, no pipelining, no JSON check, no timeouts, no limits but MAX_BODY.
 *
 * limit LISTEN-PORT UPSTREAM-PORT AUTHORITY USERNAME SECRET-FILE API-KEY-FILE [CA-FILE]   (127.0.0.1; CA-FILE: TLS)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_INPUT = 16 << 10, ANSWER_ROOM = 64 << 10, HEAD_ROOM = 8 << 10, MAX_BODY = 16 << 20, BLOCK = 128 };

enum state { READING, SENDING, WAITING, CLOSED };

/* A caller and its upstream connection. */
struct pair {
    int down, up;
    enum state state;
    SSL *ssl;
    char *in;           /* the request: head and body */
    size_t in_len, in_cap, head_len, body_len;
    char *out;          /* the signed head; with TLS the body behind it, so that it is one record more often */
    size_t out_len, out_cap, sent, to_send;
    char *answer;
    size_t answer_len, answer_total, relayed;
    struct pair *next_dead;
};

static int epoll_fd;
static struct sockaddr_in upstream_address;
static SSL_CTX *tls;
static EVP_MD *sha512;
static EVP_MD_CTX *inner_key, *outer_key, *work;
static char api_key_line[512], authorization_start[1024], host_line[512];
static size_t api_key_len, authorization_len, host_len;
static char date_text[32];
static time_t date_second;
static struct pair *dead;

static void die(const char *what) {
    perror(what);
    exit(1);
}

/* --- the signature --------------------------------------------------------------------------------------------- */

static size_t base64(char *to, const unsigned char *from, size_t count) {
    return (size_t)EVP_EncodeBlock((unsigned char *)to, from, (int)count);
}

static void digest_body(const char *body, size_t count, unsigned char digest[64]) {
    EVP_DigestInit_ex2(work, NULL, NULL);
    EVP_DigestUpdate(work, body, count);
    EVP_DigestFinal_ex(work, digest, NULL);
}

static void authenticate(const char *string, size_t count, unsigned char code[64]) {
    static EVP_MD_CTX *copy;
    if (!copy) copy = EVP_MD_CTX_new();
    unsigned char inner[64];
    EVP_MD_CTX_copy_ex(copy, inner_key);
    EVP_DigestUpdate(copy, string, count);
    EVP_DigestFinal_ex(copy, inner, NULL);
    EVP_MD_CTX_copy_ex(copy, outer_key);
    EVP_DigestUpdate(copy, inner, sizeof inner);
    EVP_DigestFinal_ex(copy, code, NULL);
}

static EVP_MD_CTX *padded_key(const unsigned char *key, size_t count, unsigned char pad) {
    unsigned char block[BLOCK] = {0};
    if (count > BLOCK) EVP_Digest(key, count, block, NULL, sha512, NULL);
    else memcpy(block, key, count);
    for (int i = 0; i < BLOCK; i++) block[i] ^= pad;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_DigestInit_ex2(context, sha512, NULL);
    EVP_DigestUpdate(context, block, BLOCK);
    return context;
}

static void refresh_date(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec == date_second) return;
    date_second = now.tv_sec;
    struct tm parts;
    gmtime_r(&date_second, &parts);
    strftime(date_text, sizeof date_text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
}

#define PUT(text) (memcpy(at, text, sizeof(text) - 1), at += sizeof(text) - 1)
#define PUT_N(from, count) (memcpy(at, from, count), at += (count))

/* --- one request ----------------------------------------------------------------------------------------------- */

/* Whether a caller's header goes no further: the gateway writes these itself, or they concern one hop only. */
static int is_ours(const char *name, size_t count) {
    static const char *const names[] = {"host", "date", "x-date", "api_key", "connection", "keep-alive",
        "content-type", "authorization", "content-length", "content-sha512", "transfer-encoding",
        "proxy-authorization", "te", "upgrade"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == count && !strncasecmp(name, names[i], count)) return 1;
    return 0;
}

static size_t length_in(const char *head, const char *end) {
    const char *line = head;
    while ((line = memchr(line, '\n', (size_t)(end - line)))) {
        line++;
        if (end - line > 15 && (*line | 32) == 'c' && !strncasecmp(line, "content-length:", 15))
            return strtoul(line + 15, NULL, 10);
    }
    return 0;
}

/* Writes the signed head into `out`; with TLS the body as well. */
static void sign(struct pair *p) {
    const char *body = p->in + p->head_len;
    size_t need = p->head_len + HEAD_ROOM + (tls ? p->body_len : 0);
    if (need > p->out_cap) p->out = realloc(p->out, p->out_cap = need);
    if (!p->out) die("memory");
    char *at = p->out;
    const char *line_end = memchr(p->in, '\r', p->head_len);
    size_t request_line = (size_t)(line_end - p->in);
    PUT_N(p->in, request_line);
    PUT_N(host_line, host_len);
    const char *end = p->in + p->head_len - 2;
    for (const char *line = line_end + 2; line < end;) {
        const char *next = (const char *)memchr(line, '\n', (size_t)(end - line)) + 1;
        const char *colon = memchr(line, ':', (size_t)(next - line));
        if (colon && !is_ours(line, (size_t)(colon - line))) PUT_N(line, (size_t)(next - line));
        line = next;
    }
    PUT_N(api_key_line, api_key_len);
    PUT("X-Date: ");
    PUT_N(date_text, 29);
    PUT("\r\nContent-Type: application/json\r\nContent-sha512: ");
    unsigned char digest[64];
    digest_body(body, p->body_len, digest);
    char *digest_text = at;
    at += base64(at, digest, 64);
    PUT("\r\nContent-Length: ");
    char *length_text = at;
    char digits[20];
    int n = 0;
    size_t rest = p->body_len;
    do digits[n++] = (char)('0' + rest % 10); while (rest /= 10);
    while (n) *at++ = digits[--n];
    size_t length_len = (size_t)(at - length_text);

    static char string[HEAD_ROOM + FIRST_INPUT];
    char *head_end = at;
    at = string;
    PUT_N(p->in, request_line);
    PUT("\nx-date: ");
    PUT_N(date_text, 29);
    PUT("\ncontent-type: application/json\ncontent-sha512: ");
    PUT_N(digest_text, 88);
    PUT("\ncontent-length: ");
    PUT_N(length_text, length_len);
    unsigned char code[64];
    authenticate(string, (size_t)(at - string), code);

    at = head_end;
    PUT_N(authorization_start, authorization_len);
    at += base64(at, code, 64);
    PUT("\"\r\n\r\n");
    p->out_len = (size_t)(at - p->out);
    p->to_send = p->out_len + p->body_len;
    p->sent = 0;
    if (tls) PUT_N(body, p->body_len);
}

static void watch(int fd, uintptr_t data) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP, .data.u64 = data};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
}

static void close_pair(struct pair *p) {
    if (p->state == CLOSED) return;
    p->state = CLOSED;
    close(p->down);
    if (p->ssl) SSL_free(p->ssl);
    if (p->up >= 0) close(p->up);
    p->next_dead = dead;
    dead = p;
}

/* Connecting blocks: it happens once per caller. */
static int open_upstream(struct pair *p) {
    int one = 1;
    p->up = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (p->up < 0 || connect(p->up, (struct sockaddr *)&upstream_address, sizeof upstream_address)) return 0;
    setsockopt(p->up, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (tls) {
        p->ssl = SSL_new(tls);
        SSL_set_fd(p->ssl, p->up);
        SSL_set1_host(p->ssl, "localhost");
        SSL_set_tlsext_host_name(p->ssl, "localhost");
        if (SSL_connect(p->ssl) != 1) return 0;
    }
    fcntl(p->up, F_SETFL, O_NONBLOCK);
    watch(p->up, (uintptr_t)p | 1);
    return 1;
}

static int tls_result(struct pair *p, int result) {
    int error = SSL_get_error(p->ssl, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

/* Writes what is left of the request. */
static void send_request(struct pair *p) {
    while (p->sent < p->to_send) {
        ssize_t count;
        if (tls) {
            int result = SSL_write(p->ssl, p->out + p->sent, (int)(p->to_send - p->sent));
            count = result > 0 ? result : tls_result(p, result);
            if (count == 0) return;
        } else {
            size_t head = p->sent < p->out_len ? p->out_len - p->sent : 0;
            size_t skip = p->sent > p->out_len ? p->sent - p->out_len : 0;
            struct iovec parts[2] = {
                {p->out + p->sent, head}, {p->in + p->head_len + skip, p->body_len - skip}};
            count = head ? writev(p->up, parts, 2) : write(p->up, parts[1].iov_base, parts[1].iov_len);
            if (count < 0 && errno == EAGAIN) return;
        }
        if (count <= 0) return close_pair(p);
        p->sent += (size_t)count;
    }
    p->state = WAITING;
    p->in_len = 0;
    p->answer_len = p->answer_total = p->relayed = 0;
}

static void read_request(struct pair *p) {
    for (;;) {
        size_t room = p->in_cap - p->in_len;
        ssize_t count = read(p->down, p->in + p->in_len, room);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) return close_pair(p);
        p->in_len += (size_t)count;
        if (!p->head_len) {
            const char *end = memmem(p->in, p->in_len, "\r\n\r\n", 4);
            if (end) {
                p->head_len = (size_t)(end - p->in) + 4;
                p->body_len = length_in(p->in, end + 2);
                if (p->body_len > MAX_BODY) return close_pair(p);
                size_t need = p->head_len + p->body_len;
                if (need > p->in_cap) p->in = realloc(p->in, p->in_cap = need);
                if (!p->in) die("memory");
            } else if (p->in_len == p->in_cap) {
                return close_pair(p);
            }
        }
        if (p->head_len && p->in_len >= p->head_len + p->body_len) break;
        if ((size_t)count < room) return;
    }
    if (p->up < 0 && !open_upstream(p)) return close_pair(p);
    sign(p);
    p->state = SENDING;
    send_request(p);
}

/* Hands on what has come of the answer. */
static void relay(struct pair *p) {
    while (p->relayed < p->answer_len) {
        ssize_t count = write(p->down, p->answer + p->relayed, p->answer_len - p->relayed);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) return close_pair(p);
        p->relayed += (size_t)count;
    }
    if (p->answer_total && p->relayed == p->answer_total) {
        p->state = READING;
        p->head_len = 0;
    }
}

static void read_answer(struct pair *p) {
    while (p->answer_len < ANSWER_ROOM) {
        size_t room = ANSWER_ROOM - p->answer_len;
        ssize_t count;
        if (tls) {
            int result = SSL_read(p->ssl, p->answer + p->answer_len, (int)room);
            count = result > 0 ? result : tls_result(p, result);
            if (count == 0) return;
        } else {
            count = read(p->up, p->answer + p->answer_len, room);
            if (count < 0 && errno == EAGAIN) return;
        }
        if (count <= 0 || p->state != WAITING) return close_pair(p);
        p->answer_len += (size_t)count;
        if (!p->answer_total) {
            const char *end = memmem(p->answer, p->answer_len, "\r\n\r\n", 4);
            if (end) p->answer_total = (size_t)(end - p->answer) + 4 + length_in(p->answer, end + 2);
        }
        if (p->answer_total && p->answer_len >= p->answer_total) return relay(p);
    }
    close_pair(p); /* An answer beyond ANSWER_ROOM: not for this program. */
}

static void accept_all(int listener) {
    int one = 1;
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct pair *p = calloc(1, sizeof *p);
        if (!p || !(p->in = malloc(FIRST_INPUT)) || !(p->answer = malloc(ANSWER_ROOM))) die("memory");
        p->down = fd;
        p->up = -1;
        p->in_cap = FIRST_INPUT;
        watch(fd, (uintptr_t)p);
    }
}

static void handle(struct pair *p, int is_upstream, uint32_t events) {
    if (p->state == CLOSED) return;
    if (is_upstream) {
        if ((events & EPOLLOUT) && p->state == SENDING) send_request(p);
        if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) && p->state != CLOSED) read_answer(p);
    } else {
        if ((events & EPOLLOUT) && p->state == WAITING && p->relayed < p->answer_len) relay(p);
        if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) && p->state == READING) read_request(p);
        else if ((events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) && p->state != CLOSED) close_pair(p);
    }
}

/* --- start ----------------------------------------------------------------------------------------------------- */

static size_t read_file(const char *path, unsigned char *to, size_t room) {
    FILE *file = fopen(path, "rb");
    if (!file) die(path);
    size_t count = fread(to, 1, room, file);
    fclose(file);
    if (count && to[count - 1] == '\n') count--;
    return count;
}

static void prepare(char **arguments) {
    unsigned char secret[4096], key[256];
    sha512 = EVP_MD_fetch(NULL, "SHA512", NULL);
    work = EVP_MD_CTX_new();
    EVP_DigestInit_ex2(work, sha512, NULL);
    size_t count = read_file(arguments[5], secret, sizeof secret);
    inner_key = padded_key(secret, count, 0x36);
    outer_key = padded_key(secret, count, 0x5c);
    size_t key_count = read_file(arguments[6], key, sizeof key);
    api_key_len = (size_t)snprintf(api_key_line, sizeof api_key_line, "api_key: %.*s\r\n", (int)key_count, key);
    host_len = (size_t)snprintf(host_line, sizeof host_line, "\r\nHost: %s\r\n", arguments[3]);
    authorization_len = (size_t)snprintf(authorization_start, sizeof authorization_start,
        "\r\nAuthorization: hmac username=\"%s\", algorithm=\"hmac-sha512\", "
        "headers=\"request-line x-date content-type content-sha512 content-length\", signature=\"", arguments[4]);
    upstream_address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[2])),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (!arguments[7]) return;
    tls = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    if (SSL_CTX_load_verify_locations(tls, arguments[7], NULL) != 1) die(arguments[7]);
    SSL_CTX_set_read_ahead(tls, 1);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

int main(int count, char **arguments) {
    if (count != 7 && count != 8) {
        fputs("usage: limit LISTEN-PORT UPSTREAM-PORT AUTHORITY USERNAME SECRET-FILE API-KEY-FILE [CA-FILE]\n", stderr);
        return 2;
    }
    prepare(arguments);
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[1])),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) die("listen");
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    watch(listener, 0);
    fputs("limit: ready\n", stderr);
    struct epoll_event events[256];
    for (;;) {
        int ready = epoll_wait(epoll_fd, events, 256, -1);
        refresh_date();
        for (int i = 0; i < ready; i++) {
            uintptr_t data = events[i].data.u64;
            if (!data) accept_all(listener);
            else handle((struct pair *)(data & ~(uintptr_t)1), data & 1, events[i].events);
        }
        while (dead) {
            struct pair *p = dead;
            dead = p->next_dead;
            free(p->in);
            free(p->out);
            free(p->answer);
            free(p);
        }
    }
}
