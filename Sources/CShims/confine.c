/* What the process gives up for good: privileges, files (Landlock), system calls (seccomp). Raw system calls and numbers
 * of our own, so that the build needs no newer headers than the kernel that it meets. Each call says what the kernel
 * said; whether that is enough is decided in Swift. */
#define _GNU_SOURCE
#include "CShims.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RESULT(call) \
    do { \
        long result_ = (call); \
        return result_ < 0 ? -errno : (int)result_; \
    } while (0)

int cs_no_new_privileges(void) { RESULT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); }
unsigned cs_effective_user(void) { return geteuid(); }
unsigned cs_effective_group(void) { return getegid(); }

/* Privileges. */

int cs_become(const char *name, unsigned uid, unsigned gid) {
    if (name ? initgroups(name, gid) < 0 : setgroups(0, NULL) < 0) return -errno;
    if (setresgid(gid, gid, gid) < 0) return -errno;
    if (setresuid(uid, uid, uid) < 0) return -errno;
    uid_t r, e, s;
    gid_t rg, eg, sg;
    if (getresuid(&r, &e, &s) < 0 || getresgid(&rg, &eg, &sg) < 0) return -errno;
    if (r != uid || e != uid || s != uid || rg != gid || eg != gid || sg != gid) return -EPERM;
    /* There is no way back: this must fail. */
    if (uid != 0 && setresuid(0, 0, 0) == 0) return -EPERM;
    return 0;
}

int cs_account_of(const char *name, unsigned *uid, unsigned *gid) {
    char *end;
    unsigned long number = strtoul(name, &end, 10);
    struct passwd entry, *found = NULL;
    char room[16384];
    int error = *name && !*end ? getpwuid_r((uid_t)number, &entry, room, sizeof room, &found)
                               : getpwnam_r(name, &entry, room, sizeof room, &found);
    if (error) return -error;
    if (!found) return 0;
    *uid = entry.pw_uid;
    *gid = entry.pw_gid;
    return 1;
}

int cs_account_name(unsigned uid, char *text, size_t size) {
    struct passwd entry, *found = NULL;
    char room[16384];
    int error = getpwuid_r(uid, &entry, room, sizeof room, &found);
    if (error) return -error;
    if (!found) return 0;
    size_t count = 0;
    while (found->pw_name[count] && count + 1 < size) {
        text[count] = found->pw_name[count];
        count++;
    }
    text[count] = 0;
    return 1;
}

int cs_may_read(const char *path) { RESULT(faccessat(AT_FDCWD, path, R_OK, AT_EACCESS)); }

/* Landlock: linux/landlock.h, ABI 1 to 5. */

struct ruleset {
    uint64_t files;
};

struct beneath {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

enum {
    LL_CREATE = 444,
    LL_ADD = 445,
    LL_RESTRICT = 446,
    LL_VERSION = 1,
    LL_PATH_BENEATH = 1,
};

enum {
    LL_WRITE_FILE = 1 << 1,
    LL_READ_FILE = 1 << 2,
    LL_READ_DIR = 1 << 3,
    LL_REMOVE_FILE = 1 << 5,
    LL_MAKE_REG = 1 << 8,
    LL_MAKE_SOCK = 1 << 9,
    LL_TRUNCATE = 1 << 14,
};

/* Rights that an ABI knows: 13 in the first, one more in each of the next ones that is about files. */
static uint64_t known_rights(int abi) {
    int bits = abi >= 5 ? 16 : abi >= 3 ? 15 : abi == 2 ? 14 : 13;
    return ((uint64_t)1 << bits) - 1;
}

int cs_landlock_abi(void) { RESULT(syscall(LL_CREATE, NULL, 0, LL_VERSION)); }

int cs_landlock_begin(int abi) {
    struct ruleset all = {known_rights(abi)};
    RESULT(syscall(LL_CREATE, &all, sizeof all, 0));
}

int cs_landlock_allow(int ruleset, int abi, const char *path, int kind) {
    static const uint64_t rights[] = {
        LL_READ_FILE | LL_READ_DIR,
        LL_READ_FILE | LL_READ_DIR | LL_WRITE_FILE | LL_TRUNCATE | LL_MAKE_REG | LL_REMOVE_FILE,
        LL_READ_DIR | LL_MAKE_SOCK | LL_REMOVE_FILE,
        LL_READ_FILE | LL_WRITE_FILE,
    };
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) return -errno;
    struct stat found;
    uint64_t allowed = rights[kind] & known_rights(abi);
    if (fstat(fd, &found) == 0 && !S_ISDIR(found.st_mode)) {
        allowed &= LL_READ_FILE | LL_WRITE_FILE | LL_TRUNCATE;
    }
    struct beneath rule = {allowed, fd};
    int result = syscall(LL_ADD, ruleset, LL_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
    close(fd);
    return result;
}

int cs_landlock_enforce(int ruleset) { RESULT(syscall(LL_RESTRICT, ruleset, 0)); }

/* seccomp: what a gateway at work asks of the kernel, and nothing else. */

#if defined(__x86_64__)
#define CS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define CS_ARCH AUDIT_ARCH_AARCH64
#endif

static const int allowed_calls[] = {
    /* Bytes. */
    __NR_read, __NR_write, __NR_readv, __NR_writev, __NR_pread64, __NR_pwrite64, __NR_lseek, __NR_close, __NR_dup,
    __NR_dup3, __NR_fcntl, __NR_ioctl,
    /* Files: reloads, the store, logs, the name service. */
    __NR_openat, __NR_fstat, __NR_newfstatat, __NR_statx, __NR_faccessat, __NR_faccessat2, __NR_readlinkat,
    __NR_getcwd, __NR_getdents64, __NR_fsync, __NR_fdatasync, __NR_ftruncate, __NR_fallocate, __NR_fadvise64,
    __NR_flock, __NR_unlinkat, __NR_renameat2, __NR_fchmod, __NR_fchmodat, __NR_fchown, __NR_fchownat, __NR_umask,
    __NR_statfs, __NR_fstatfs, __NR_utimensat, __NR_inotify_init1, __NR_inotify_add_watch, __NR_inotify_rm_watch,
    /* Sockets. */
    __NR_connect, __NR_bind, __NR_listen, __NR_accept4, __NR_accept, __NR_getsockname, __NR_getpeername,
    __NR_setsockopt, __NR_getsockopt, __NR_sendto, __NR_sendmsg, __NR_sendmmsg, __NR_recvfrom, __NR_recvmsg,
    __NR_recvmmsg, __NR_shutdown,
    /* Waiting. */
    __NR_epoll_create1, __NR_epoll_ctl, __NR_epoll_pwait, __NR_epoll_pwait2, __NR_eventfd2, __NR_signalfd4, __NR_ppoll,
    __NR_futex, __NR_nanosleep, __NR_clock_nanosleep, __NR_restart_syscall, __NR_sched_yield,
    /* Memory. */
    __NR_mmap, __NR_munmap, __NR_mprotect, __NR_mremap, __NR_madvise, __NR_brk, __NR_mlock, __NR_munlock, __NR_mlock2,
    /* Threads and signals. */
    __NR_exit, __NR_exit_group, __NR_set_robust_list, __NR_set_tid_address, __NR_rseq, __NR_membarrier, __NR_gettid,
    __NR_getpid, __NR_getppid, __NR_sched_getaffinity, __NR_rt_sigaction, __NR_rt_sigprocmask, __NR_rt_sigreturn,
    __NR_rt_sigpending, __NR_rt_sigtimedwait, __NR_sigaltstack, __NR_prctl,
    /* Time, numbers, chance. */
    __NR_clock_gettime, __NR_clock_getres, __NR_gettimeofday, __NR_times, __NR_getrandom, __NR_getrusage,
    __NR_getuid, __NR_geteuid, __NR_getgid, __NR_getegid, __NR_getresuid, __NR_getresgid, __NR_getgroups, __NR_uname,
    __NR_sysinfo, __NR_prlimit64, __NR_getrlimit, __NR_setrlimit,
#if defined(__x86_64__)
    __NR_open, __NR_stat, __NR_lstat, __NR_access, __NR_readlink, __NR_unlink, __NR_rename, __NR_chmod, __NR_chown,
    __NR_lchown, __NR_dup2, __NR_epoll_wait, __NR_poll, __NR_time, __NR_arch_prctl,
#endif
};

enum { CALLS = sizeof allowed_calls / sizeof allowed_calls[0] };

#define ARGUMENT(index) (offsetof(struct seccomp_data, args) + 8 * (index))

int cs_seccomp_calls(void) { return CALLS; }

int cs_seccomp_enforce(void) {
#if !defined(CS_ARCH)
    return -ENOSYS;
#else
    const unsigned refuse = SECCOMP_RET_ERRNO | EPERM, absent = SECCOMP_RET_ERRNO | ENOSYS;
    struct sock_filter program[64 + 2 * CALLS];
    unsigned count = 0;
#define ADD(...) program[count++] = (struct sock_filter)__VA_ARGS__
    ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
    ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CS_ARCH, 1, 0));
    ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
    for (unsigned i = 0; i < CALLS; i++) {
        ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)allowed_calls[i], 0, 1));
        ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    }
    /* A thread, but no process. The library tries clone3 first, whose flags no filter can see, and takes clone then. */
    ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone3, 0, 1));
    ADD(BPF_STMT(BPF_RET | BPF_K, absent));
    ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 4));
    ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(0)));
    ADD(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1));
    ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    ADD(BPF_STMT(BPF_RET | BPF_K, refuse));
    /* A signal for a thread of our own: abort(3). */
    ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_tgkill, 0, 4));
    ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(0)));
    ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)getpid(), 0, 1));
    ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    ADD(BPF_STMT(BPF_RET | BPF_K, refuse));
    /* Sockets of these families: no packets of our own making. */
    ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 0, 7));
    ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(0)));
    ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 4, 0));
    ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 3, 0));
    ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 2, 0));
    ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 1, 0));
    ADD(BPF_STMT(BPF_RET | BPF_K, refuse));
    ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    /* Calls that are newer than this list are absent, so that a newer library takes what it took before them. The bit
     * of x32 makes a number large, too. */
    ADD(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 450, 0, 1));
    ADD(BPF_STMT(BPF_RET | BPF_K, absent));
    ADD(BPF_STMT(BPF_RET | BPF_K, refuse));
    struct sock_fprog filter = {(unsigned short)count, program};
    RESULT(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0));
#endif
}

int cs_seccomp_mode(void) { RESULT(prctl(PR_GET_SECCOMP, 0, 0, 0, 0)); }

int64_t cs_locked_memory_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0) return -errno;
    return limit.rlim_cur == RLIM_INFINITY ? INT64_MAX : (int64_t)limit.rlim_cur;
}

/* Files that change. */

int cs_inotify(void) { RESULT(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)); }

int cs_inotify_watch(int fd, const char *folder) {
    RESULT(inotify_add_watch(
        fd, folder,
        IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_ONLYDIR));
}

int cs_inotify_unwatch(int fd, int watch) { RESULT(inotify_rm_watch(fd, watch)); }

int cs_inotify_drain(int fd) {
    char room[4096];
    int any = 0;
    while (read(fd, room, sizeof room) > 0) any = 1;
    return any;
}

int cs_file_version(const char *path, struct cs_version *version) {
    struct stat found;
    if (stat(path, &found) < 0) return -errno;
    *version = (struct cs_version){
        (uint64_t)found.st_dev, (uint64_t)found.st_ino, (int64_t)found.st_size,
        (int64_t)found.st_mtim.tv_sec * 1000000000 + found.st_mtim.tv_nsec,
        (int64_t)found.st_ctim.tv_sec * 1000000000 + found.st_ctim.tv_nsec};
    return 0;
}

int cs_real_path(const char *path, char *text, size_t size) {
    char *real = realpath(path, NULL);
    if (!real) return -errno;
    size_t count = 0;
    while (real[count] && count + 1 < size) {
        text[count] = real[count];
        count++;
    }
    int whole = real[count] == 0;
    text[count] = 0;
    free(real);
    return whole ? 0 : -ENAMETOOLONG;
}

int cs_file_facts(const char *path, struct cs_facts *facts) {
    struct stat found;
    if (stat(path, &found) < 0) return -errno;
    int kind = S_ISREG(found.st_mode) ? 0 : S_ISDIR(found.st_mode) ? 1 : S_ISSOCK(found.st_mode) ? 2 : 3;
    *facts = (struct cs_facts){kind, found.st_mode & 07777, found.st_uid, found.st_gid};
    return 0;
}
