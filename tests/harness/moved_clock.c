/* Moves the wall clock of every process that loads it (LD_PRELOAD) by the nanoseconds in the file TELSTRAAT_MOVED_CLOCK,
 * which may change at any moment. The monotonic clock stays, and waits that name a moment of the wall clock end in time. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL
#define EXPORT __attribute__((visibility("default")))
/* Later than any uptime: an absolute wait beyond it is of the wall clock. */
#define WALL_FROM_S 1000000000LL

static const int64_t nothing = 0;
static const volatile int64_t *moved_ns = &nothing;

__attribute__((constructor)) static void open_file(void) {
    const char *path = getenv("TELSTRAAT_MOVED_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *page = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (page != MAP_FAILED) moved_ns = page;
}

static struct timespec plus(struct timespec at, int64_t ns) {
    int64_t rest = at.tv_nsec + ns % SECOND;
    at.tv_sec += ns / SECOND + (rest < 0 ? -1 : rest >= SECOND);
    at.tv_nsec = rest < 0 ? rest + SECOND : rest >= SECOND ? rest - SECOND : rest;
    return at;
}

static int is_wall(clockid_t id) { return id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE || id == CLOCK_TAI; }

/* The function of the C library that this one stands before; newer versions of a symbol first. */
static void *real(const char *name) {
    static const char *versions[] = {"GLIBC_2.34", "GLIBC_2.30", "GLIBC_2.17", "GLIBC_2.3.3", "GLIBC_2.3.2", "GLIBC_2.2.5"};
    for (unsigned n = 0; n < sizeof versions / sizeof *versions; n++) {
        void *found = dlvsym(RTLD_NEXT, name, versions[n]);
        if (found) return found;
    }
    return dlsym(RTLD_NEXT, name);
}
#define REAL(name) \
    static __typeof__(&name) next; \
    if (!next) next = (__typeof__(&name))real(#name)

EXPORT int clock_gettime(clockid_t id, struct timespec *at) {
    REAL(clock_gettime);
    int failed = next ? next(id, at) : (int)syscall(SYS_clock_gettime, id, at);
    if (!failed && is_wall(id)) *at = plus(*at, *moved_ns);
    return failed;
}

EXPORT int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *at = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

EXPORT time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}

EXPORT int timespec_get(struct timespec *at, int base) { return clock_gettime(CLOCK_REALTIME, at) ? 0 : base; }

/* A moment of the moved clock as the kernel knows it. */
static struct timespec kernels(const struct timespec *until) {
    return until->tv_sec < WALL_FROM_S ? *until : plus(*until, -*moved_ns);
}

EXPORT int clock_nanosleep(clockid_t id, int flags, const struct timespec *until, struct timespec *left) {
    REAL(clock_nanosleep);
    struct timespec end = *until;
    if ((flags & TIMER_ABSTIME) && is_wall(id)) end = kernels(until);
    return next(id, flags, &end, left);
}

EXPORT int pthread_cond_timedwait(pthread_cond_t *restrict c, pthread_mutex_t *restrict m, const struct timespec *restrict until) {
    REAL(pthread_cond_timedwait);
    struct timespec end = kernels(until);
    return next(c, m, &end);
}

EXPORT int pthread_mutex_timedlock(pthread_mutex_t *restrict m, const struct timespec *restrict until) {
    REAL(pthread_mutex_timedlock);
    struct timespec end = kernels(until);
    return next(m, &end);
}

EXPORT int sem_timedwait(sem_t *restrict s, const struct timespec *restrict until) {
    REAL(sem_timedwait);
    struct timespec end = kernels(until);
    return next(s, &end);
}

EXPORT int timerfd_settime(int file, int flags, const struct itimerspec *to, struct itimerspec *before) {
    REAL(timerfd_settime);
    struct itimerspec moved = *to;
    if (flags & TFD_TIMER_ABSTIME) moved.it_value = kernels(&to->it_value);
    return next(file, flags, &moved, before);
}
