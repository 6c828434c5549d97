/*
 * Readers: many Socket.IO clients over websockets in one thread, which count what they get and check its order.
 *
 *   load PORT READERS JOIN EXPECTED [--go PATH] [--check seq|range] [--pids 1,2] [--patience S] [--leave] [--hold S]
 *                                  [--again S]
 *
 * JOIN is the packet that joins a room and asks for an acknowledgement (420["join",{...}]). With --go the HTTP path is
 * fetched once all have joined; it makes the server send. Ends when EXPECTED events were counted in all (0: none are
 * awaited), or nothing came for a while, and prints one JSON object: connections, events, order errors, latencies from
 * "t":NS (CLOCK_MONOTONIC) in the payload, processor time and memory of the processes named by --pids.
 *
 *   --check seq     "seq":0,1,2… for each reader
 *   --check range   `entries` frames continue each other: "after" is the last "upto"; counted are the offsets
 *   --hold S        stays for S seconds after joining, before anything is measured (memory settles)
 *   --again S       whose connection ends comes back within S seconds, at random, until it is let in, and joins from its
 *                   cursor: JOIN has a %ld for it (with --check range)
 *   --leave         closes all connections at once at the end, and measures what that costs the server
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTING, UPGRADING, OPENING, NAMESPACE, JOINING, READING, GONE };
enum { BUCKETS = 2000000, AT_ONCE = 64, GO = 0xffffffff };

typedef struct {
    int fd, state;
    char *rest;       /* an incomplete frame */
    size_t rest_size;
    int64_t next;     /* the seq or offset that must come next; -1: any */
    uint64_t again;   /* when it comes back */
} reader;

static reader *readers;
static int reader_count, port, poll_fd, ready, gone, started;
static const char *join_packet;
static bool check_seq, check_range;
static double jitter; /* seconds; 0: who is gone stays away */
static uint64_t events, order_errors, reads, closed, received;
static uint32_t *latency; /* 10 us each */
static uint64_t latencies, worst;
static int pids[64], pid_count;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static double processor_seconds(void) {
    double sum = 0;
    for (int i = 0; i < pid_count; i++) {
        char name[64], text[2048];
        snprintf(name, sizeof name, "/proc/%d/stat", pids[i]);
        FILE *file = fopen(name, "r");
        if (!file) continue;
        size_t size = fread(text, 1, sizeof text - 1, file);
        fclose(file);
        text[size] = 0;
        unsigned long user, system;
        char *after = strrchr(text, ')');
        if (after && sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) == 2)
            sum += (user + system) / (double)sysconf(_SC_CLK_TCK);
    }
    return sum;
}

static long memory_kb(void) {
    long sum = 0;
    for (int i = 0; i < pid_count; i++) {
        char name[64];
        snprintf(name, sizeof name, "/proc/%d/statm", pids[i]);
        FILE *file = fopen(name, "r");
        long all, resident;
        if (!file) continue;
        if (fscanf(file, "%ld %ld", &all, &resident) == 2) sum += resident * (sysconf(_SC_PAGESIZE) / 1024);
        fclose(file);
    }
    return sum;
}

static void end(reader *r) {
    if (r->state == GONE) return;
    if (r->state == READING) ready--;
    r->state = GONE;
    gone++;
    close(r->fd);
    free(r->rest);
    r->rest = NULL;
    r->rest_size = 0;
    r->again = now() + (uint64_t)(jitter * 1e9 * rand() / RAND_MAX);
}

/* A masked frame; the mask is zero. */
static void send_frame(reader *r, int opcode, const char *payload, size_t size) {
    char frame[4096];
    size_t head = 0;
    if (size > sizeof frame - 8) size = sizeof frame - 8;
    frame[head++] = 0x80 | opcode;
    if (size < 126) {
        frame[head++] = 0x80 | size;
    } else {
        frame[head++] = 0x80 | 126;
        frame[head++] = size >> 8;
        frame[head++] = size & 255;
    }
    memset(frame + head, 0, 4);
    head += 4;
    memcpy(frame + head, payload, size);
    if (send(r->fd, frame, head + size, MSG_NOSIGNAL) != (ssize_t)(head + size)) end(r);
}

static int64_t number_after(const char *text, size_t size, const char *name, int64_t otherwise) {
    const char *found = memmem(text, size, name, strlen(name));
    return found ? strtoll(found + strlen(name), NULL, 10) : otherwise;
}

static void take_event(reader *r, const char *text, size_t size) {
    int64_t count = 1;
    if (check_range) {
        if (memmem(text, size < 24 ? size : 24, "[\"entries\"", 10) == NULL) return;
        int64_t after = number_after(text, size, "\"after\":", -1), upto = number_after(text, size, "\"upto\":", -1);
        if (r->next < 0) r->next = after;
        if (after > r->next || upto < after) order_errors++;
        count = upto > r->next ? upto - r->next : 0;
        if (upto > r->next) r->next = upto;
    } else if (check_seq) {
        int64_t seq = number_after(text, size, "\"seq\":", -1);
        if (r->next >= 0 && seq != r->next) order_errors++;
        r->next = seq + 1;
    }
    events += count;
    int64_t sent = number_after(text, size, "\"t\":", 0);
    if (sent <= 0 || !count) return;
    uint64_t took = now() - sent, bucket = took / 10000;
    latency[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    latencies++;
    if (took > worst) worst = took;
}

static void take_text(reader *r, const char *text, size_t size) {
    if (!size) return;
    if (text[0] == '2') {
        send_frame(r, 1, "3", 1);
    } else if (r->state == OPENING && text[0] == '0') {
        r->state = NAMESPACE;
        send_frame(r, 1, "40", 2);
    } else if (r->state == NAMESPACE && size > 1 && text[1] == '0') {
        char join[1024];
        int length = snprintf(join, sizeof join, join_packet, (long)(r->next > 0 ? r->next : 0));
        r->state = JOINING;
        send_frame(r, 1, join, length);
    } else if (r->state == JOINING && size > 1 && text[1] == '3') {
        r->state = READING;
        ready++;
    } else if (size > 1 && text[0] == '4' && text[1] == '2') {
        take_event(r, text, size);
    }
}

static void take_bytes(reader *r) {
    static char bytes[1 << 24];
    size_t have = r->rest_size, at = 0;
    memcpy(bytes, r->rest, have);
    r->rest_size = 0;
    ssize_t got = recv(r->fd, bytes + have, 256 * 1024, 0);
    reads++;
    if (got < 0 && errno == EAGAIN) {
        r->rest_size = have;
        return;
    }
    if (got <= 0) {
        closed++;
        end(r);
        return;
    }
    received += got;
    have += got;
    if (r->state == UPGRADING) {
        char *blank = memmem(bytes, have, "\r\n\r\n", 4);
        if (blank && memcmp(bytes, "HTTP/1.1 101", 12)) {
            fprintf(stderr, "no upgrade: %.80s\n", bytes);
            end(r);
            return;
        }
        if (blank) {
            at = blank + 4 - bytes;
            r->state = OPENING;
        }
    }
    while (r->state != UPGRADING && have - at >= 2) {
        unsigned char *head = (unsigned char *)bytes + at;
        size_t head_size = 2, size = head[1] & 127;
        if (size == 126) {
            head_size = 4;
            if (have - at < 4) break;
            size = head[2] << 8 | head[3];
        } else if (size == 127) {
            head_size = 10;
            if (have - at < 10) break;
            size = 0;
            for (int i = 2; i < 10; i++) size = size << 8 | head[i];
        }
        if (size > sizeof bytes / 2 || head[0] & 0x70 || head[1] & 0x80) {
            fprintf(stderr, "a broken frame: %02x %02x\n", head[0], head[1]);
            order_errors++;
            end(r);
            return;
        }
        if (have - at < head_size + size) break;
        int opcode = head[0] & 15;
        if (opcode == 1) take_text(r, (char *)head + head_size, size);
        if (opcode == 8) {
            closed++;
            end(r);
        }
        if (r->state == GONE) return;
        at += head_size + size;
    }
    if (have > at) {
        r->rest = realloc(r->rest, have - at);
        memcpy(r->rest, bytes + at, have - at);
        r->rest_size = have - at;
    }
}

static int dial(bool waits) {
    int fd = socket(AF_INET, SOCK_STREAM | (waits ? 0 : SOCK_NONBLOCK), 0), one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || (connect(fd, (void *)&address, sizeof address) < 0 && errno != EINPROGRESS && !jitter)) {
        perror("connect");
        exit(1);
    }
    return fd;
}

static void start_one(int i) {
    readers[i] = (reader){.fd = dial(false), .state = CONNECTING, .next = readers[i].next};
    struct linger at_once = {1, 0}; /* no TIME_WAIT: ports would run out */
    setsockopt(readers[i].fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    started++;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.u32 = i};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, readers[i].fd, &event);
}

static void upgrade(reader *r, uint32_t index) {
    char request[512];
    int failed = 0;
    socklen_t size = sizeof failed;
    getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &failed, &size);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
    epoll_ctl(poll_fd, EPOLL_CTL_MOD, r->fd, &event);
    int length = snprintf(request, sizeof request,
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", port);
    r->state = UPGRADING;
    if (failed || send(r->fd, request, length, MSG_NOSIGNAL) != length) end(r);
}

static int go_fd = -1;

static void come_back(void) {
    uint64_t at = now();
    for (int i = 0; i < reader_count; i++)
        if (readers[i].state == GONE && readers[i].again < at) {
            gone--;
            started--;
            start_one(i);
        }
}

static void turn(int milliseconds) {
    if (jitter && gone) come_back();
    static struct epoll_event found[1024];
    int count = epoll_wait(poll_fd, found, 1024, milliseconds);
    for (int k = 0; k < count; k++) {
        if (found[k].data.u32 == GO) {
            char answer[4096];
            if (recv(go_fd, answer, sizeof answer, 0) <= 0) epoll_ctl(poll_fd, EPOLL_CTL_DEL, go_fd, NULL);
            continue;
        }
        reader *r = &readers[found[k].data.u32];
        if (r->state == GONE) continue;
        if (r->state == CONNECTING) {
            upgrade(r, found[k].data.u32);
        } else {
            take_bytes(r);
        }
    }
}

static void go(const char *path) {
    char request[512];
    go_fd = dial(true);
    int size = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n", path, port);
    if (send(go_fd, request, size, 0) != size) exit(1);
    fcntl(go_fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = GO};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, go_fd, &event);
}

static double percentile(double share) {
    uint64_t wanted = latencies * share, sum = 0;
    for (int i = 0; i < BUCKETS; i++)
        if ((sum += latency[i]) > wanted) return i * 0.01 + 0.005;
    return 0;
}

static double own_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int count, char **words) {
    if (count < 5) return fprintf(stderr, "load PORT READERS JOIN EXPECTED [options]: see load.c\n"), 2;
    port = atoi(words[1]);
    reader_count = atoi(words[2]);
    join_packet = words[3];
    uint64_t expected = strtoull(words[4], NULL, 10);
    const char *path = NULL;
    double patience = 15, hold = 0.5;
    bool leave = false;
    for (int i = 5; i < count; i++) {
        bool more = i + 1 < count;
        if (!strcmp(words[i], "--go") && more) path = words[++i];
        else if (!strcmp(words[i], "--check") && more) check_seq = !(check_range = !strcmp(words[++i], "range"));
        else if (!strcmp(words[i], "--patience") && more) patience = atof(words[++i]);
        else if (!strcmp(words[i], "--again") && more) jitter = atof(words[++i]);
        else if (!strcmp(words[i], "--hold") && more) hold = atof(words[++i]);
        else if (!strcmp(words[i], "--leave")) leave = true;
        else if (!strcmp(words[i], "--pids") && more)
            for (char *p = strtok(words[++i], ","); p && pid_count < 64; p = strtok(NULL, ",")) pids[pid_count++] = atoi(p);
        else return fprintf(stderr, "what is %s?\n", words[i]), 2;
    }
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    readers = calloc(reader_count, sizeof *readers);
    for (int i = 0; i < reader_count; i++) readers[i].next = -1;
    latency = calloc(BUCKETS, sizeof *latency);
    poll_fd = epoll_create1(0);

    long memory_before = memory_kb();
    double cpu_before = processor_seconds();
    uint64_t began = now();
    for (int i = 0; ready + gone < reader_count && now() - began < 120e9;) {
        while (i < reader_count && started - ready - gone < AT_ONCE) start_one(i++);
        turn(100);
    }
    double joining = (now() - began) / 1e9, joining_cpu = processor_seconds() - cpu_before;
    for (uint64_t since = now(); now() - since < hold * 1e9;) turn(50);
    long memory = memory_kb();
    int connected = ready;
    fprintf(stderr, "joined %d\n", connected); /* whoever posts may begin */

    double cpu = processor_seconds(), own = own_seconds();
    uint64_t from = now(), last = from, seen = events;
    events = 0;
    if (path) go(path);
    while (events < expected) {
        turn(100);
        if (events != seen) {
            seen = events;
            last = now();
        }
        if (now() - last > patience * 1e9) break;
    }
    double seconds = (last - from) / 1e9, whole = (now() - from) / 1e9;
    double cpu_seconds = processor_seconds() - cpu, own_cpu = own_seconds() - own, leaving_cpu = 0;
    long memory_after = memory_kb();
    if (leave) {
        double leaving = processor_seconds();
        for (int i = 0; i < reader_count; i++) end(&readers[i]);
        double before = -1;
        while (before != processor_seconds() - leaving) { /* until the server has rested for a second */
            before = processor_seconds() - leaving;
            sleep(1);
        }
        leaving_cpu = before;
    }
    printf("{\"readers\":%d,\"connected\":%d,\"joins_per_s\":%.0f,\"join_cpu_ms\":%.3f,\"kb_per_connection\":%.2f,",
        reader_count, connected, connected / joining, connected ? joining_cpu * 1000 / connected : 0,
        connected ? (memory - memory_before) / (double)connected : 0);
    printf("\"events\":%lu,\"expected\":%lu,\"seconds\":%.3f,\"cpu_seconds\":%.3f,\"per_cpu_second\":%.0f,\"load_share\":%.2f,",
        events, expected, seconds, cpu_seconds, cpu_seconds > 0 ? events / cpu_seconds : 0, own_cpu / (whole > 0 ? whole : 1));
    printf("\"order_errors\":%lu,\"closed\":%lu,\"memory_kb\":%ld,\"leaving_cpu_s\":%.3f,\"received_mb\":%.1f,\"reads\":%lu",
        order_errors, closed, memory_after, leaving_cpu, received / 1e6, reads);
    if (latencies)
        printf(",\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"worst_ms\":%.2f", percentile(0.5), percentile(0.99), worst / 1e6);
    printf("}\n");
    return events < expected;
}
