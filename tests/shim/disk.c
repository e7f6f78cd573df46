/* A library for LD_PRELOAD that lets calls on the files of a database fail, as a bad or full disk does.
 *
 * HOLDFAST_TEST_DISK names a file whose text is the rule that says which calls fail. The test replaces
 * the file (by a rename) to change the rule:
 *
 *     OPERATION FIRST COUNT ERROR [PART OF A PATH]
 *
 * OPERATION is write, sync, truncate or read. Calls of this operation are counted from the time at which
 * the rule was written. COUNT calls fail, beginning with number FIRST (1 is the next call). ERROR is EIO,
 * ENOSPC or SHORT. SHORT writes half of the bytes, or nothing where all of them fit one sector: disks and
 * file systems do not tear a sector, such as the header of a write-ahead log. Without the file no call
 * fails. Each failure is reported on standard error. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NONE, SHORT_WRITE };
enum { SECTOR_BYTES = 512 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static ino_t rule_inode;
static long seen, first, count;
static char operation[16], kind[16], part[256];

static void read_rule(void) {
    const char *file = getenv("HOLDFAST_TEST_DISK");
    struct stat status;
    if (!file || stat(file, &status)) {
        operation[0] = 0;
        rule_inode = 0;
        return;
    }
    if (status.st_ino == rule_inode) return;
    rule_inode = status.st_ino;
    seen = 0;
    operation[0] = kind[0] = 0;
    strcpy(part, "inventory.db");
    FILE *rule = fopen(file, "r");
    if (!rule) return;
    if (fscanf(rule, "%15s %ld %ld %15s %255s", operation, &first, &count, kind, part) < 4) operation[0] = 0;
    fclose(rule);
}

/* Returns whether this call must fail, and then sets errno. A short write is reported through *how. */
static int fails(const char *what, int fd, int *how) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    pthread_mutex_lock(&lock);
    read_rule();
    int hit = 0;
    if (!strcmp(operation, what) && strstr(path, part) && !strstr(path, ".lock")) {
        seen += 1;
        hit = seen >= first && seen < first + count;
    }
    if (hit) {
        *how = strcmp(kind, "SHORT") ? NONE : SHORT_WRITE;
        dprintf(2, "the disk fails: %s %ld %s %s\n", what, seen, kind, path);
        errno = strcmp(kind, "EIO") ? ENOSPC : EIO;
    }
    pthread_mutex_unlock(&lock);
    return hit;
}

#define REAL(name) \
    ({ static __typeof__(&name) real; if (!real) real = dlsym(RTLD_NEXT, #name); real; })

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t place) {
    int how = NONE;
    if (!fails("write", fd, &how)) return REAL(pwrite64)(fd, bytes, size, place);
    return how == SHORT_WRITE && size > SECTOR_BYTES ? REAL(pwrite64)(fd, bytes, size / 2, place) : -1;
}
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t place) {
    return pwrite64(fd, bytes, size, place);
}
int fdatasync(int fd) {
    int how = NONE;
    return fails("sync", fd, &how) ? -1 : REAL(fdatasync)(fd);
}
int fsync(int fd) {
    int how = NONE;
    return fails("sync", fd, &how) ? -1 : REAL(fsync)(fd);
}
int ftruncate64(int fd, off64_t size) {
    int how = NONE;
    return fails("truncate", fd, &how) ? -1 : REAL(ftruncate64)(fd, size);
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }
ssize_t pread64(int fd, void *bytes, size_t size, off64_t place) {
    int how = NONE;
    return fails("read", fd, &how) ? -1 : REAL(pread64)(fd, bytes, size, place);
}
ssize_t pread(int fd, void *bytes, size_t size, off_t place) {
    return pread64(fd, bytes, size, place);
}
