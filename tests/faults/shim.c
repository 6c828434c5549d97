/* LD_PRELOAD: a disk that loses power, fails or is full, and a clock that is off, for the processes of a test.
 *
 * The disk is what lies below $PORTALWIRE_FAULT_DISK. What would be on it after a power cut is kept in
 * $PORTALWIRE_FAULT_SHADOW, and tests/faults/disk.py puts it in place of what is there:
 *
 *   file-INODE-BORN       the content of a file when it was last synced
 *   folder-INODE-BORN     the names in a directory when it was last synced, a line each: INODE-BORN, kind, name
 *
 * So a file that was never synced is empty, and a name is there only if its directory was synced after it came: what
 * POSIX promises, and less than most file systems do. An inode's number is used again; when it was born tells the files
 * apart. Not modelled: what another call makes durable (sync, O_SYNC, msync), and pages that the kernel forgets after
 * a failed fsync.
 *
 * $PORTALWIRE_FAULT_CONTROL is a file of three numbers of 64 bits, which the test changes as it goes: seconds that the clock
 * is off; calls of fsync that will still fail (EIO; negative: all); bytes by which files of the disk may still grow
 * before it is full (ENOSPC; negative: any number).
 */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct control {
    int64_t clock, failures, room;
};

static struct control harmless = {0, 0, -1};
static struct control *control = &harmless;
static const char *disk, *shadow;

__attribute__((constructor)) static void begin(void) {
    disk = getenv("PORTALWIRE_FAULT_DISK");
    shadow = getenv("PORTALWIRE_FAULT_SHADOW");
    const char *path = getenv("PORTALWIRE_FAULT_CONTROL");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *mapped = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED)
        control = mapped;
    close(file);
}

/* Whether an open file lies on the disk; its path. */
static int on_disk(int file, char path[PATH_MAX]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = disk ? readlink(link, path, PATH_MAX - 1) : -1;
    if (length < 0)
        return 0;
    path[length] = 0;
    size_t prefix = strlen(disk);
    return strncmp(path, disk, prefix) == 0 && (path[prefix] == '/' || path[prefix] == 0);
}

static void name_of(int folder, const char *path, int flags, char name[64], mode_t *mode) {
    struct statx found = {0};
    statx(folder, path, flags | AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &found);
    snprintf(name, 64, "%llu-%lld%09u", (unsigned long long)found.stx_ino, (long long)found.stx_btime.tv_sec,
             found.stx_btime.tv_nsec);
    *mode = found.stx_mode;
}

static void keep_names(const char *path, int into) {
    DIR *folder = opendir(path);
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        char name[64];
        mode_t mode;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        name_of(dirfd(folder), entry->d_name, 0, name, &mode);
        dprintf(into, "%s %s %s\n", name, S_ISDIR(mode) ? "folder" : "file", entry->d_name);
    }
    if (folder)
        closedir(folder);
}

static void keep_content(const char *path, int into) {
    int from = open(path, O_RDONLY | O_CLOEXEC);
    while (from >= 0 && sendfile(into, from, NULL, 1 << 24) > 0)
        ;
    if (from >= 0)
        close(from);
}

/* Keeps what was just synced; one at a time, so that no older state takes the place of a newer one. */
static void keep(int file, const char *path) {
    char name[64], half[PATH_MAX], kept[PATH_MAX];
    mode_t mode;
    name_of(file, "", AT_EMPTY_PATH, name, &mode);
    int lock = open(shadow, O_RDONLY | O_CLOEXEC);
    flock(lock, LOCK_EX);
    snprintf(half, sizeof half, "%s/.half", shadow);
    snprintf(kept, sizeof kept, "%s/%s-%s", shadow, S_ISDIR(mode) ? "folder" : "file", name);
    int into = open(half, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (S_ISDIR(mode))
        keep_names(path, into);
    else
        keep_content(path, into);
    close(into);
    rename(half, kept); /* a kill leaves the one or the other */
    close(lock);
}

static int synced(int file, long call) {
    char path[PATH_MAX];
    if (!on_disk(file, path))
        return syscall(call, file);
    int64_t left = control->failures;
    while (left > 0 && !__atomic_compare_exchange_n(&control->failures, &left, left - 1, 0, __ATOMIC_SEQ_CST,
                                                    __ATOMIC_SEQ_CST))
        ;
    if (left != 0) {
        errno = EIO;
        return -1;
    }
    int result = syscall(call, file);
    if (result == 0 && shadow)
        keep(file, path);
    return result;
}

int fsync(int file) { return synced(file, SYS_fsync); }
int fdatasync(int file) { return synced(file, SYS_fdatasync); }

/* Whether so many bytes fit, at an offset or (negative) where the file stands. */
static int fits(int file, size_t count, off_t offset) {
    struct stat found;
    char path[PATH_MAX];
    if (control->room < 0 || fstat(file, &found) || !S_ISREG(found.st_mode) || !on_disk(file, path))
        return 1;
    if (offset < 0)
        offset = fcntl(file, F_GETFL) & O_APPEND ? found.st_size : lseek(file, 0, SEEK_CUR);
    int64_t growth = (int64_t)offset + (int64_t)count - found.st_size;
    if (growth <= 0)
        return 1;
    if (growth > control->room) {
        errno = ENOSPC;
        return 0;
    }
    __atomic_sub_fetch(&control->room, growth, __ATOMIC_SEQ_CST);
    return 1;
}

ssize_t write(int file, const void *bytes, size_t count) {
    return fits(file, count, -1) ? syscall(SYS_write, file, bytes, count) : -1;
}
ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
    return fits(file, count, offset) ? syscall(SYS_pwrite64, file, bytes, count, offset) : -1;
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
    return pwrite(file, bytes, count, offset);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*original)(clockid_t, struct timespec *);
    if (!original)
        original = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = original(clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += control->clock;
    return result;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec fine;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &fine);
    *now = (struct timeval){fine.tv_sec, fine.tv_nsec / 1000};
    return 0;
}
time_t time(time_t *now) {
    struct timespec fine;
    clock_gettime(CLOCK_REALTIME, &fine);
    if (now)
        *now = fine.tv_sec;
    return fine.tv_sec;
}
