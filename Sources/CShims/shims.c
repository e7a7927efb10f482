/* Bodies of the wrappers in CShims.h, compiled here with _GNU_SOURCE, which Swift's import of Glibc does not set. */
#define _GNU_SOURCE
#include "CShims.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

_Static_assert(CS_EPOLL_IN == EPOLLIN && CS_EPOLL_OUT == EPOLLOUT && CS_EPOLL_ERR == EPOLLERR, "epoll bits");
_Static_assert(CS_EPOLL_HUP == EPOLLHUP && CS_EPOLL_RDHUP == EPOLLRDHUP && CS_EPOLL_ET == EPOLLET, "epoll bits");
_Static_assert(CS_EPOLL_EXCLUSIVE == EPOLLEXCLUSIVE, "epoll bits");
_Static_assert(CS_SOCKADDR_SIZE == sizeof(struct sockaddr_storage), "room for any address");
_Static_assert(CS_UNIX_PATH_MAX == sizeof(((struct sockaddr_un *)0)->sun_path) - 1, "room for a path and its zero");
_Static_assert(CS_FAMILY_UNIX == AF_UNIX && CS_FAMILY_IPV4 == AF_INET && CS_FAMILY_IPV6 == AF_INET6, "families");

#define RESULT(call) \
    do { \
        int64_t result_ = (call); \
        return result_ < 0 ? -errno : result_; \
    } while (0)

int cs_close(int fd) { RESULT(close(fd)); }
int cs_dup(int fd) { RESULT(fcntl(fd, F_DUPFD_CLOEXEC, 0)); }
int64_t cs_read(int fd, void *to, size_t count) { RESULT(read(fd, to, count)); }
int64_t cs_write(int fd, const void *from, size_t count) { RESULT(write(fd, from, count)); }

/* By their numbers: the C library's functions are places where a thread can be cancelled, which takes two locked
 * operations a call where there are several threads. Nobody cancels one here. */
int64_t cs_recv(int fd, void *to, size_t count) { RESULT(syscall(SYS_recvfrom, fd, to, count, 0, NULL, NULL)); }
int64_t cs_send(int fd, const void *from, size_t count) {
    RESULT(syscall(SYS_sendto, fd, from, count, MSG_NOSIGNAL, NULL, 0));
}

int64_t cs_send2(int fd, const void *first, size_t first_count, const void *second, size_t second_count) {
    struct iovec parts[2] = {{(void *)first, first_count}, {(void *)second, second_count}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    RESULT(syscall(SYS_sendmsg, fd, &message, MSG_NOSIGNAL));
}

int cs_wait_writable(int fd, int milliseconds) {
    struct pollfd one = {.fd = fd, .events = POLLOUT};
    RESULT(poll(&one, 1, milliseconds));
}

int cs_socket_stream(int family) { RESULT(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); }
int cs_connect(int fd, const void *address, unsigned length) { RESULT(connect(fd, address, length)); }
int cs_bind(int fd, const void *address, unsigned length) { RESULT(bind(fd, address, length)); }
int cs_listen(int fd, int backlog) { RESULT(listen(fd, backlog)); }
int cs_accept(int fd) { RESULT(accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)); }

int cs_refuse_newcomers(int fd) {
    int family = 0;
    socklen_t size = sizeof family;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) < 0) return -errno;
    if (family == AF_UNIX) return shutdown(fd, SHUT_RD) < 0 ? -errno : 1;
    /* The filter sees the TCP header: a segment whose flags are SYN without ACK is dropped, any other passes. */
    struct sock_filter drop_syn[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xFFFFFFFFu),
    };
    struct sock_fprog program = {sizeof drop_syn / sizeof drop_syn[0], drop_syn};
    RESULT(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
}

int cs_listening_family(int fd) {
    int type = 0, listens = 0, family = 0;
    socklen_t size = sizeof type;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0) return -errno;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0) return -errno;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) < 0) return -errno;
    if (type != SOCK_STREAM) return -EPROTOTYPE;
    return listens ? family : -EDESTADDRREQ;
}

int cs_take_over(int fd) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return -errno;
    RESULT(fcntl(fd, F_SETFD, FD_CLOEXEC));
}

int cs_datagram_socket(int send_milliseconds) {
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    struct timeval most = {.tv_sec = send_milliseconds / 1000, .tv_usec = send_milliseconds % 1000 * 1000};
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most) == 0) return fd;
    int error = errno;
    close(fd);
    return -error;
}

int64_t cs_send_datagram(int fd, const char *name, size_t name_count, const void *bytes, size_t count) {
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    if (name_count > CS_UNIX_PATH_MAX) return -ENAMETOOLONG;
    memcpy(un.sun_path, name, name_count);
    int is_abstract = name[0] == '@';
    if (is_abstract) un.sun_path[0] = 0;
    socklen_t length = offsetof(struct sockaddr_un, sun_path) + name_count + !is_abstract;
    RESULT(sendto(fd, bytes, count, MSG_NOSIGNAL, (struct sockaddr *)&un, length));
}

int cs_local_address(int fd, void *address, unsigned *length) { RESULT(getsockname(fd, address, length)); }
int cs_peer_address(int fd, void *address, unsigned *length) { RESULT(getpeername(fd, address, length)); }
int cs_shutdown_writing(int fd) { RESULT(shutdown(fd, SHUT_WR)); }

int cs_take_error(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) return -errno;
    return -error;
}

static int set_option(int fd, int level, int name, int value) {
    RESULT(setsockopt(fd, level, name, &value, sizeof value));
}

int cs_set_no_delay(int fd) { return set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); }
int cs_set_reuse_address(int fd) { return set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1); }
int cs_set_reuse_port(int fd) { return set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1); }
int cs_set_v6_only(int fd) { return set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1); }

int cs_set_reset_on_close(int fd) {
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    RESULT(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
}

int cs_set_buffer_sizes(int fd, int send_bytes, int receive_bytes) {
    int result = set_option(fd, SOL_SOCKET, SO_SNDBUF, send_bytes);
    return result < 0 ? result : set_option(fd, SOL_SOCKET, SO_RCVBUF, receive_bytes);
}

int cs_peer_credentials(int fd, int *pid, unsigned *uid, unsigned *gid) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return -errno;
    *pid = peer.pid;
    *uid = peer.uid;
    *gid = peer.gid;
    return 0;
}

int cs_tcp_state(int fd, uint64_t *bytes_acked, int *awaits_our_close, int *is_over) {
    struct tcp_info info;
    socklen_t size = sizeof info;
    memset(&info, 0, sizeof info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) return -errno;
    if (size < offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked) return -ENOTSUP;
    *bytes_acked = info.tcpi_bytes_acked;
    *awaits_our_close = info.tcpi_state == 8; /* TCP_CLOSE_WAIT, in a header that clashes with linux/tcp.h */
    *is_over = info.tcpi_state == 7; /* TCP_CLOSE */
    return 0;
}

int cs_peek(int fd) {
    char one;
    RESULT(recv(fd, &one, 1, MSG_PEEK | MSG_DONTWAIT));
}

int cs_ipv4_parse(const char *text, uint8_t octets[4]) { return inet_pton(AF_INET, text, octets) == 1; }
int cs_ipv6_parse(const char *text, uint8_t octets[16]) { return inet_pton(AF_INET6, text, octets) == 1; }
int cs_ipv6_format(const uint8_t octets[16], char text[46]) { return inet_ntop(AF_INET6, octets, text, 46) != NULL; }

unsigned cs_sockaddr_ipv4(void *address, const uint8_t octets[4], uint16_t port) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    memcpy(&in.sin_addr, octets, 4);
    memcpy(address, &in, sizeof in);
    return sizeof in;
}

unsigned cs_sockaddr_ipv6(void *address, const uint8_t octets[16], uint16_t port, uint32_t scope) {
    struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_scope_id = scope};
    memcpy(&in.sin6_addr, octets, 16);
    memcpy(address, &in, sizeof in);
    return sizeof in;
}

unsigned cs_sockaddr_unix(void *address, const char *path, size_t count) {
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    memcpy(un.sun_path, path, count);
    memcpy(address, &un, sizeof un);
    return offsetof(struct sockaddr_un, sun_path) + count + 1;
}

int cs_sockaddr_family(const void *address) { return ((const struct sockaddr *)address)->sa_family; }

uint16_t cs_sockaddr_port(const void *address) {
    struct sockaddr_in in; /* the port lies at the same place in sockaddr_in6 */
    memcpy(&in, address, sizeof in);
    return ntohs(in.sin_port);
}

void cs_sockaddr_octets(const void *address, uint8_t octets[16]) {
    if (cs_sockaddr_family(address) == AF_INET) {
        memcpy(octets, (const char *)address + offsetof(struct sockaddr_in, sin_addr), 4);
    } else {
        memcpy(octets, (const char *)address + offsetof(struct sockaddr_in6, sin6_addr), 16);
    }
}

uint32_t cs_sockaddr_scope(const void *address) {
    uint32_t scope;
    memcpy(&scope, (const char *)address + offsetof(struct sockaddr_in6, sin6_scope_id), sizeof scope);
    return scope;
}

int cs_resolve(const char *host, void *context, void (*each)(void *context, const void *address)) {
    struct addrinfo wanted = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    int code = getaddrinfo(host, NULL, &wanted, &found);
    if (code != 0) return code;
    for (struct addrinfo *one = found; one; one = one->ai_next) each(context, one->ai_addr);
    freeaddrinfo(found);
    return 0;
}

int cs_resolve_is_temporary(int code) { return code == EAI_AGAIN || code == EAI_SYSTEM || code == EAI_MEMORY; }
int cs_resolve_is_absent(int code) { return code == EAI_NONAME || code == EAI_NODATA || code == EAI_ADDRFAMILY; }

int cs_epoll_create(void) { RESULT(epoll_create1(EPOLL_CLOEXEC)); }

int cs_epoll_add(int ep, int fd, uint32_t mask, uint64_t word) {
    struct epoll_event event = {.events = mask, .data.u64 = word};
    RESULT(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
}

int cs_epoll_change(int ep, int fd, uint32_t mask, uint64_t word) {
    struct epoll_event event = {.events = mask, .data.u64 = word};
    RESULT(epoll_ctl(ep, EPOLL_CTL_MOD, fd, &event));
}

int cs_epoll_remove(int ep, int fd) { RESULT(epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL)); }

int cs_epoll_wait(int ep, void *events, int max, int milliseconds) {
    RESULT(epoll_wait(ep, events, max, milliseconds));
}

int cs_epoll_wait_nanoseconds(int ep, void *events, int max, int64_t nanoseconds) {
    struct timespec limit = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    RESULT(epoll_pwait2(ep, events, max, &limit, NULL));
}

size_t cs_epoll_event_size(void) { return sizeof(struct epoll_event); }

uint32_t cs_epoll_event_mask(const void *events, int index) {
    return ((const struct epoll_event *)events)[index].events;
}

uint64_t cs_epoll_event_word(const void *events, int index) {
    return ((const struct epoll_event *)events)[index].data.u64;
}

int cs_eventfd(int semaphore, int nonblocking) {
    RESULT(eventfd(0, EFD_CLOEXEC | (semaphore ? EFD_SEMAPHORE : 0) | (nonblocking ? EFD_NONBLOCK : 0)));
}

int cs_eventfd_add(int fd) {
    uint64_t one = 1;
    RESULT(write(fd, &one, sizeof one));
}

int cs_eventfd_take(int fd) {
    uint64_t count;
    RESULT(read(fd, &count, sizeof count));
}

static sigset_t set_of(const int *signals, size_t count) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < count; i++) sigaddset(&set, signals[i]);
    return set;
}

int cs_signalfd(const int *signals, size_t count) {
    sigset_t set = set_of(signals, count);
    RESULT(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

int cs_signalfd_take(int fd) {
    struct signalfd_siginfo info;
    if (read(fd, &info, sizeof info) < 0) return -errno;
    return (int)info.ssi_signo;
}

int cs_signals_block(const int *signals, size_t count) {
    sigset_t set = set_of(signals, count);
    return -pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int cs_signal_ignore(int number) {
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    RESULT(sigaction(number, &ignore, NULL));
}

int cs_signal_raise(int number) { return -pthread_kill(pthread_self(), number); }

struct start {
    void *context;
    void (*body)(void *);
    char name[16];
};

static void *run(void *pointer) {
    struct start start = *(struct start *)pointer;
    free(pointer);
    /* By the thread itself: another one would have to write a file of /proc. */
    pthread_setname_np(pthread_self(), start.name);
    start.body(start.context);
    return NULL;
}

int cs_thread_start(uint64_t *thread, const char *name, size_t stack, void *context, void (*body)(void *context)) {
    struct start *start = malloc(sizeof *start);
    if (!start) return -ENOMEM;
    *start = (struct start){context, body, ""};
    strncpy(start->name, name, sizeof start->name - 1);
    pthread_attr_t attributes;
    pthread_t made;
    pthread_attr_init(&attributes);
    int error = pthread_attr_setstacksize(&attributes, stack);
    if (!error) error = pthread_create(&made, &attributes, run, start);
    pthread_attr_destroy(&attributes);
    if (error) {
        free(start);
        return -error;
    }
    *thread = (uint64_t)made;
    return 0;
}

int cs_thread_join(uint64_t thread) { return -pthread_join((pthread_t)thread, NULL); }
int cs_thread_detach(uint64_t thread) { return -pthread_detach((pthread_t)thread); }

static struct timespec time_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now;
}

static uint64_t nanoseconds(struct timespec t) { return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec; }

uint64_t cs_monotonic_nanoseconds(void) { return nanoseconds(time_of(CLOCK_MONOTONIC)); }
uint64_t cs_monotonic_coarse_nanoseconds(void) { return nanoseconds(time_of(CLOCK_MONOTONIC_COARSE)); }
int64_t cs_realtime_seconds(void) { return time_of(CLOCK_REALTIME).tv_sec; }
uint64_t cs_boot_nanoseconds(void) { return nanoseconds(time_of(CLOCK_BOOTTIME)); }

uint64_t cs_realtime_nanoseconds(void) { return nanoseconds(time_of(CLOCK_REALTIME)); }

int cs_boot_id(char *text, size_t size) {
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    ssize_t got = read(fd, text, size);
    int result = got < 0 ? -errno : (int)got;
    close(fd);
    return result;
}

int64_t cs_realtime_coarse_seconds(void) { return time_of(CLOCK_REALTIME_COARSE).tv_sec; }

int cs_unlink(const char *path) { RESULT(unlink(path)); }
int cs_chmod(const char *path, unsigned mode) { RESULT(chmod(path, mode)); }
int cs_chown(const char *path, unsigned uid, unsigned gid) { RESULT(chown(path, uid, gid)); }

int cs_file_kind(const char *path) {
    struct stat found;
    if (lstat(path, &found) < 0) return -errno;
    return S_ISREG(found.st_mode) ? 0 : S_ISSOCK(found.st_mode) ? 1 : 2;
}

int cs_open_log(const char *path) {
    /* O_NONBLOCK: a FIFO without a reader is refused and not waited for. */
    RESULT(open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600));
}

int cs_is_regular(int fd) {
    struct stat found;
    if (fstat(fd, &found) < 0) return -errno;
    return S_ISREG(found.st_mode) ? 1 : 0;
}

int cs_fchmod(int fd, unsigned mode) { RESULT(fchmod(fd, mode)); }
int cs_not_dumpable(void) { RESULT(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)); }

int cs_no_core_files(void) {
    struct rlimit none = {0, 0};
    RESULT(setrlimit(RLIMIT_CORE, &none));
}

int cs_no_crash_handlers(void) {
#if !defined(__has_feature)
#define __has_feature(feature) 0
#endif
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
    static const int crashes[] = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGQUIT};
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        if (signal(crashes[i], SIG_DFL) == SIG_ERR) return -errno;
#endif
    return 0;
}

int64_t cs_descriptor_limit(int raise_to_hard) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    if (raise_to_hard && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    }
    return (int64_t)limit.rlim_cur;
}

int cs_open_descriptors(int below) {
    int count = 0;
    for (int fd = 0; fd < below; fd++) count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

int cs_set_descriptor_limit(uint64_t soft) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    limit.rlim_cur = soft;
    RESULT(setrlimit(RLIMIT_NOFILE, &limit));
}

int cs_cpu_count(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0) return -errno;
    return CPU_COUNT(&set);
}

int cs_process_id(void) { return getpid(); }
void cs_exit(int code) { exit(code); }
