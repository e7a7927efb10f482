/* Wrappers for what Glibc's Swift module hides: epoll, eventfd, signalfd, accept4, prctl, TCP_INFO. They translate,
 * they decide nothing. Every function that can fail returns the negated errno, read before anything else can run. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Descriptors. */
int cs_close(int fd);
int cs_dup(int fd);
int64_t cs_read(int fd, void *to, size_t count);
int64_t cs_write(int fd, const void *from, size_t count);
int64_t cs_recv(int fd, void *to, size_t count);
int64_t cs_send(int fd, const void *from, size_t count);
int64_t cs_send2(int fd, const void *first, size_t first_count, const void *second, size_t second_count);
int cs_wait_writable(int fd, int milliseconds);

/* Sockets. `address` points to a sockaddr of `length` bytes. */
int cs_socket_stream(int family);
int cs_connect(int fd, const void *address, unsigned length);
int cs_bind(int fd, const void *address, unsigned length);
int cs_listen(int fd, int backlog);
int cs_accept(int fd);
int cs_refuse_newcomers(int fd); /* 1 where nobody can be on the way any more */
int cs_listening_family(int fd); /* negated: EPROTOTYPE for no stream, EDESTADDRREQ for one that does not listen */
int cs_take_over(int fd);        /* a descriptor that we were started with: non-blocking, closed by exec */
int cs_datagram_socket(int send_milliseconds);
/* `name`: a Unix socket's path, or `@` and an abstract name. */
int64_t cs_send_datagram(int fd, const char *name, size_t name_count, const void *bytes, size_t count);
int cs_local_address(int fd, void *address, unsigned *length);
int cs_peer_address(int fd, void *address, unsigned *length);
int cs_shutdown_writing(int fd);
int cs_take_error(int fd);
int cs_set_no_delay(int fd);
int cs_set_reuse_address(int fd);
int cs_set_reuse_port(int fd);
int cs_set_v6_only(int fd);
int cs_set_reset_on_close(int fd);
int cs_set_buffer_sizes(int fd, int send_bytes, int receive_bytes);
int cs_peer_credentials(int fd, int *pid, unsigned *uid, unsigned *gid);
int cs_tcp_state(int fd, uint64_t *bytes_acked, int *awaits_our_close, int *is_over);
int cs_peek(int fd);

/* Addresses, in the order of the network. */
int cs_ipv4_parse(const char *text, uint8_t octets[4]);
int cs_ipv6_parse(const char *text, uint8_t octets[16]);
int cs_ipv6_format(const uint8_t octets[16], char text[46]);
unsigned cs_sockaddr_ipv4(void *address, const uint8_t octets[4], uint16_t port);
unsigned cs_sockaddr_ipv6(void *address, const uint8_t octets[16], uint16_t port, uint32_t scope);
unsigned cs_sockaddr_unix(void *address, const char *path, size_t count);
int cs_sockaddr_family(const void *address);
uint16_t cs_sockaddr_port(const void *address);
void cs_sockaddr_octets(const void *address, uint8_t octets[16]);
uint32_t cs_sockaddr_scope(const void *address);
#define CS_SOCKADDR_SIZE 128
#define CS_UNIX_PATH_MAX 107
#define CS_FAMILY_UNIX 1
#define CS_FAMILY_IPV4 2
#define CS_FAMILY_IPV6 10

/* Name resolution: calls `each` once per stream address. Returns 0, or getaddrinfo's code (negative). */
int cs_resolve(const char *host, void *context, void (*each)(void *context, const void *address));
int cs_resolve_is_temporary(int code);
int cs_resolve_is_absent(int code);

/* epoll. An event array is `cs_epoll_event_size()` bytes per event. */
#define CS_EPOLL_IN 0x001u
#define CS_EPOLL_OUT 0x004u
#define CS_EPOLL_ERR 0x008u
#define CS_EPOLL_HUP 0x010u
#define CS_EPOLL_RDHUP 0x2000u
#define CS_EPOLL_EXCLUSIVE 0x10000000u
#define CS_EPOLL_ET 0x80000000u
int cs_epoll_create(void);
int cs_epoll_add(int ep, int fd, uint32_t mask, uint64_t word);
int cs_epoll_change(int ep, int fd, uint32_t mask, uint64_t word);
int cs_epoll_remove(int ep, int fd);
int cs_epoll_wait(int ep, void *events, int max, int milliseconds);
int cs_epoll_wait_nanoseconds(int ep, void *events, int max, int64_t nanoseconds);
size_t cs_epoll_event_size(void);
uint32_t cs_epoll_event_mask(const void *events, int index);
uint64_t cs_epoll_event_word(const void *events, int index);

/* eventfd, signalfd, threads. */
int cs_eventfd(int semaphore, int nonblocking);
int cs_eventfd_add(int fd);
int cs_eventfd_take(int fd);
int cs_signalfd(const int *signals, size_t count);
int cs_signalfd_take(int fd);
int cs_signals_block(const int *signals, size_t count);
int cs_signal_ignore(int signal);
int cs_signal_raise(int signal);
int cs_thread_start(uint64_t *thread, const char *name, size_t stack, void *context, void (*body)(void *context));
int cs_thread_join(uint64_t thread);
int cs_thread_detach(uint64_t thread);

/* Time, files, the process. */
uint64_t cs_monotonic_nanoseconds(void);
uint64_t cs_monotonic_coarse_nanoseconds(void);
uint64_t cs_boot_nanoseconds(void);
uint64_t cs_realtime_nanoseconds(void);
int cs_boot_id(char *text, size_t size); /* bytes of the kernel's name for this boot, or the negated errno */
int64_t cs_realtime_seconds(void);
int64_t cs_realtime_coarse_seconds(void);
int cs_unlink(const char *path);
int cs_chmod(const char *path, unsigned mode);
int cs_chown(const char *path, unsigned uid, unsigned gid);
int cs_file_kind(const char *path); /* 0 regular, 1 socket, 2 other, or the negated errno */
int cs_fchmod(int fd, unsigned mode);
int cs_open_log(const char *path); /* for appending, mode 0600 where it is made */
int cs_is_regular(int fd); /* 1 for a regular file, or 0, or the negated errno */
int cs_not_dumpable(void);
int cs_no_core_files(void);
int cs_no_crash_handlers(void); /* leaves those of a sanitizer */
int64_t cs_descriptor_limit(int raise_to_hard);
int cs_set_descriptor_limit(uint64_t soft);
int cs_open_descriptors(int below);
int cs_cpu_count(void);
int cs_process_id(void);
void cs_exit(int code);

/* Figures of this process (figures.c). */
int cs_open_figures(const char *path, int is_directory);
int64_t cs_read_from_start(int fd, void *to, size_t count);
int64_t cs_count_entries(int directory); /* "." and ".." included */
uint64_t cs_process_nanoseconds(void);
int cs_page_size(void);
void cs_give_back_pages(void); /* of code and constants: they come back from their files where they are used */

/* What the process gives up for good. cs_become: supplementary groups of `name`, or none where that is NULL. */
int cs_no_new_privileges(void);
unsigned cs_effective_user(void);
unsigned cs_effective_group(void);
int cs_become(const char *name, unsigned uid, unsigned gid);
int cs_account_of(const char *name, unsigned *uid, unsigned *gid); /* 1, or 0 where there is none */
int cs_account_name(unsigned uid, char *text, size_t size); /* as above */
int cs_may_read(const char *path);
int cs_landlock_abi(void); /* 1 or more, or the negated errno */
int cs_landlock_begin(int abi); /* a descriptor */
#define CS_LANDLOCK_READ 0
#define CS_LANDLOCK_WRITE 1
#define CS_LANDLOCK_SOCKETS 2
#define CS_LANDLOCK_DEVICE 3
int cs_landlock_allow(int ruleset, int abi, const char *path, int kind);
int cs_landlock_enforce(int ruleset);
int cs_seccomp_calls(void);
int cs_seccomp_enforce(void);
int cs_seccomp_mode(void);
int64_t cs_locked_memory_limit(void); /* bytes */

/* Files that change: folders are watched, since files are replaced by renaming. */
struct cs_version {
    uint64_t device, inode;
    int64_t size, modified, changed;
};
int cs_inotify(void);
int cs_inotify_watch(int fd, const char *folder); /* a number for cs_inotify_unwatch */
int cs_inotify_unwatch(int fd, int watch);
int cs_inotify_drain(int fd); /* 1 where anything happened */
int cs_file_version(const char *path, struct cs_version *version);
int cs_real_path(const char *path, char *text, size_t size);
struct cs_facts {
    int kind; /* 0 file, 1 folder, 2 socket, 3 other */
    unsigned mode, uid, gid;
};
int cs_file_facts(const char *path, struct cs_facts *facts);
