/*
 * The floor: what one core can send to websockets at all. One epoll loop, a frame made once, one send() a reader.
 *
 *   floor PORT        GET /go?m=MESSAGES&rate=R   (R messages a second; 0: one a turn of the loop)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    int fd, place; /* among the members; -1: not joined */
    int upgraded;
    char *waiting;
    size_t size;
} client;

static client *members[65536];
static int member_count, poll_fd;
static long total, sent;
static double rate;
static uint64_t began;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void want(client *c, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    epoll_ctl(poll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

static void put(client *c, const char *bytes, size_t size) {
    if (!c->size) {
        ssize_t taken = send(c->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (taken == (ssize_t)size) return;
        if (taken < 0) taken = 0;
        bytes += taken;
        size -= taken;
        want(c, EPOLLIN | EPOLLOUT);
    }
    c->waiting = realloc(c->waiting, c->size + size);
    memcpy(c->waiting + c->size, bytes, size);
    c->size += size;
}

static void drain(client *c) {
    ssize_t taken = send(c->fd, c->waiting, c->size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (taken <= 0) return;
    memmove(c->waiting, c->waiting + taken, c->size - taken);
    c->size -= taken;
    if (!c->size) want(c, EPOLLIN);
}

static size_t framed(char *frame, const char *text, size_t size) {
    size_t head = 0;
    frame[head++] = 0x81;
    if (size < 126) {
        frame[head++] = size;
    } else {
        frame[head++] = 126;
        frame[head++] = size >> 8;
        frame[head++] = size & 255;
    }
    memcpy(frame + head, text, size);
    return head + size;
}

static void say(client *c, const char *text) {
    char frame[256];
    put(c, frame, framed(frame, text, strlen(text)));
}

static void broadcast(void) {
    char text[600], frame[640];
    int size = snprintf(text, sizeof text,
        "42[\"entry\",{\"id\":\"e-%08ld\",\"source\":\"example\",\"title\":\"Entry number %ld of the feed, with a usual headline\","
        "\"url\":\"https://example.org/news/2026/11/22/entry-%ld.html\","
        "\"summary\":\"A short summary of the entry, one sentence long, as it is shown in the list.\",\"seq\":%ld,\"t\":%lu}]",
        sent, sent, sent, sent, now());
    size_t whole = framed(frame, text, size);
    for (int i = 0; i < member_count; i++) put(members[i], frame, whole);
    sent++;
}

static void gone(client *c) {
    if (c->place >= 0) {
        members[c->place] = members[--member_count];
        members[c->place]->place = c->place;
    }
    close(c->fd);
    free(c->waiting);
    free(c);
}

/* The readers' key is always the same, and so is what answers it. */
static void first_request(client *c, char *text) {
    if (!strncmp(text, "GET /go", 7)) {
        char *found = strstr(text, "m=");
        total = found ? atol(found + 2) : 1;
        found = strstr(text, "rate=");
        rate = found ? atof(found + 5) : 0;
        sent = 0;
        began = now();
        const char *answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
        put(c, answer, strlen(answer));
        return;
    }
    const char *upgrade = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    put(c, upgrade, strlen(upgrade));
    c->upgraded = 1;
    say(c, "0{\"sid\":\"x\",\"upgrades\":[],\"pingTimeout\":20000,\"pingInterval\":25000,\"maxPayload\":1000000}");
}

static void take(client *c) {
    static char bytes[65536];
    ssize_t size = recv(c->fd, bytes, sizeof bytes - 1, MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) {
        gone(c);
        return;
    }
    bytes[size] = 0;
    if (!c->upgraded) {
        first_request(c, bytes);
        return;
    }
    for (ssize_t at = 0; size - at >= 6;) { /* short masked frames; the readers' mask is zero */
        size_t length = bytes[at + 1] & 127, head = 6;
        if (length == 126) {
            length = (unsigned char)bytes[at + 2] << 8 | (unsigned char)bytes[at + 3];
            head = 8;
        }
        char *text = bytes + at + head;
        if (text[0] == '4' && text[1] == '0') say(c, "40{\"sid\":\"y\"}");
        if (text[0] == '4' && text[1] == '2' && c->place < 0) {
            c->place = member_count;
            members[member_count++] = c;
            say(c, "430[]");
        }
        at += head + length;
    }
}

int main(int count, char **words) {
    if (count < 2) return 2;
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(words[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (void *)&address, sizeof address) || listen(listener, 4096)) return perror("listen"), 1;
    poll_fd = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        static struct epoll_event found[1024];
        int64_t wait = sent < total ? (rate > 0 ? (int64_t)(began + sent * 1e9 / rate) - (int64_t)now() : 0) : -1000000;
        int ready = epoll_wait(poll_fd, found, 1024, wait > 0 ? wait / 1000000 : wait < 0 && sent >= total ? -1 : 0);
        for (int k = 0; k < ready; k++) {
            client *c = found[k].data.ptr;
            if (!c) {
                for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    c = calloc(1, sizeof *c);
                    *c = (client){.fd = fd, .place = -1};
                    struct epoll_event fresh = {.events = EPOLLIN, .data.ptr = c};
                    epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &fresh);
                }
                continue;
            }
            if (found[k].events & EPOLLOUT) drain(c);
            if (found[k].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) take(c);
        }
        if (sent < total && (rate <= 0 || now() >= began + (uint64_t)(sent * 1e9 / rate))) broadcast();
    }
}
