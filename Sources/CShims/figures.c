/* What the kernel says of this process: memory, descriptors, processor time; and what is given back to it. Files of /proc are opened once and read
 * again from their start, since a process that has given up its rights may not open them any more. */
#define _GNU_SOURCE
#include "CShims.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int cs_open_figures(const char *path, int is_directory) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | (is_directory ? O_DIRECTORY : 0));
    return fd < 0 ? -errno : fd;
}

int64_t cs_read_from_start(int fd, void *to, size_t count) {
    ssize_t got = pread(fd, to, count, 0);
    return got < 0 ? -errno : got;
}

int64_t cs_count_entries(int fd) {
    int64_t entries = 0;
    char bytes[4096] __attribute__((aligned(8)));
    if (lseek(fd, 0, SEEK_SET) < 0) return -errno;
    for (;;) {
        long got = syscall(SYS_getdents64, fd, bytes, sizeof bytes);
        if (got < 0) return -errno;
        if (got == 0) return entries;
        for (long at = 0; at < got; entries++) {
            unsigned short length;
            memcpy(&length, bytes + at + 16, sizeof length); /* struct linux_dirent64: d_ino, d_off, d_reclen */
            at += length;
        }
    }
}

uint64_t cs_process_nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

int cs_page_size(void) { return (int)sysconf(_SC_PAGESIZE); }

/* Whole pages only: one that a segment shares with its neighbour is not its own. */
static int give_back_object(struct dl_phdr_info *object, size_t size, void *page) {
    (void)size;
    uintptr_t mask = *(uintptr_t *)page - 1;
    for (int index = 0; index < object->dlpi_phnum; index++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[index];
        /* What was ever writable may hold what is nowhere else: relocations, though they are read-only by now. */
        if (part->p_type != PT_LOAD || (part->p_flags & PF_W)) continue;
        uintptr_t start = (object->dlpi_addr + part->p_vaddr + mask) & ~mask;
        uintptr_t end = (object->dlpi_addr + part->p_vaddr + part->p_filesz) & ~mask;
        if (start < end) madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void cs_give_back_pages(void) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    dl_iterate_phdr(give_back_object, &page);
}
