/*
 * The upstreams of the bench: two ports that answer chat completions like a model that takes no time.
 *
 *   mock            prints "PORT_A PORT_B" and serves on 127.0.0.1 until it is ended
 *   GET /counts     {"a":N,"b":N}: the completions asked of each port
 *
 * A body with "stream":true is answered by events. Its prompt may say how: "mock:first=US,gap=US,events=N": the time to
 * the first event, the time between events, how many carry a token. One thread, one epoll: it must never be what is slow.
 */
#include "common.h"

#define MAX_FDS 65536
#define MAX_REQUEST (1 << 20)

typedef struct {
  int side;
  char *in;
  size_t used, capacity;
  /* A stream under way. */
  int events_left, wants_usage;
  long gap_ns, due_ns;
  int heap_at;
} Connection;

static Connection *connections[MAX_FDS];
static int heap[MAX_FDS], heap_size, epoll_fd, timer_fd;
static long counts[2];
static char json_answer[2][1024], token_chunk[2][512], end_chunk[2][2][1024];

static const char STREAM_HEAD[] = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
                                  "cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";
static const char USAGE[] = "\"usage\":{\"prompt_tokens\":64,\"completion_tokens\":21,\"total_tokens\":85,"
                            "\"prompt_tokens_details\":{\"cached_tokens\":32}}";

/* The bytes never change, so they are made once. */
static void prepare_answers(void) {
  for (int side = 0; side < 2; side++) {
    char body[900], event[400], ends[2][900], head[256];
    snprintf(head, sizeof head, "\"id\":\"chatcmpl-bench-0001\",\"created\":1700000000,\"model\":\"mock-%c\"", 'a' + side);
    snprintf(body, sizeof body,
             "{%s,\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
             "\"The quick brown fox jumps over the lazy dog, and then it has a rest.\"},\"finish_reason\":\"stop\"}],%s}",
             head, USAGE);
    snprintf(json_answer[side], sizeof json_answer[side],
             "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n%s", strlen(body), body);
    snprintf(event, sizeof event,
             "data: {%s,\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" token\"},"
             "\"finish_reason\":null}]}\n\n",
             head);
    snprintf(token_chunk[side], sizeof token_chunk[side], "%zx\r\n%s\r\n", strlen(event), event);
    for (int usage = 0; usage < 2; usage++) {
      int length = snprintf(ends[usage], sizeof ends[usage],
                            "data: {%s,\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{},"
                            "\"finish_reason\":\"stop\"}]}\n\n",
                            head);
      if (usage)
        length += snprintf(ends[usage] + length, sizeof ends[usage] - length,
                           "data: {%s,\"object\":\"chat.completion.chunk\",\"choices\":[],%s}\n\n", head, USAGE);
      snprintf(ends[usage] + length, sizeof ends[usage] - length, "data: [DONE]\n\n");
      snprintf(end_chunk[side][usage], sizeof end_chunk[side][usage], "%zx\r\n%s\r\n0\r\n\r\n", strlen(ends[usage]),
               ends[usage]);
    }
  }
}

static void heap_put(int at, int fd) {
  heap[at] = fd;
  connections[fd]->heap_at = at;
}

static void heap_sift(int at) {
  int fd = heap[at];
  long due = connections[fd]->due_ns;
  while (at > 0 && connections[heap[(at - 1) / 2]]->due_ns > due) {
    heap_put(at, heap[(at - 1) / 2]);
    at = (at - 1) / 2;
  }
  for (;;) {
    int child = 2 * at + 1;
    if (child >= heap_size) break;
    if (child + 1 < heap_size && connections[heap[child + 1]]->due_ns < connections[heap[child]]->due_ns) child++;
    if (connections[heap[child]]->due_ns >= due) break;
    heap_put(at, heap[child]);
    at = child;
  }
  heap_put(at, fd);
}

static void heap_remove(int fd) {
  int at = connections[fd]->heap_at;
  if (at < 0) return;
  connections[fd]->heap_at = -1;
  heap_size--;
  if (at == heap_size) return;
  heap_put(at, heap[heap_size]);
  heap_sift(at);
}

static void drop(int fd) {
  heap_remove(fd);
  free(connections[fd]->in);
  free(connections[fd]);
  connections[fd] = NULL;
  close(fd);
}

/* Answers are small beside a socket's buffer: one that does not fit means a reader that has stopped, and fails its run. */
static int send_all(int fd, const char *bytes, size_t length) {
  if (write(fd, bytes, length) == (ssize_t)length) return 1;
  drop(fd);
  return 0;
}

static long option(const char *body, size_t length, const char *name, long otherwise) {
  const char *mock = memmem(body, length, "mock:", 5);
  if (mock == NULL) return otherwise;
  const char *end = body + length;
  const char *stop = memchr(mock, '"', end - mock);
  const char *found = memmem(mock, (stop == NULL ? end : stop) - mock, name, strlen(name));
  return found == NULL ? otherwise : atol(found + strlen(name));
}

static int says_true(const char *body, size_t length, const char *key) {
  const char *found = memmem(body, length, key, strlen(key));
  if (found == NULL) return 0;
  found += strlen(key);
  while (found < body + length && (*found == ':' || *found == ' ')) found++;
  return found < body + length && *found == 't';
}

/* False when the connection is gone. */
static int answer(int fd, const char *head, const char *body, size_t length) {
  Connection *connection = connections[fd];
  if (strncmp(head, "POST ", 5) != 0) {
    char text[64], reply[256];
    int size = snprintf(text, sizeof text, "{\"a\":%ld,\"b\":%ld}", counts[0], counts[1]);
    int whole = snprintf(reply, sizeof reply,
                         "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s", size, text);
    return send_all(fd, reply, whole);
  }
  if (connection->heap_at >= 0) {
    /* Nobody may pipeline behind a stream. */
    drop(fd);
    return 0;
  }
  counts[connection->side]++;
  if (!says_true(body, length, "\"stream\"")) {
    return send_all(fd, json_answer[connection->side], strlen(json_answer[connection->side]));
  }
  connection->events_left = option(body, length, "events=", 20);
  connection->gap_ns = option(body, length, "gap=", 0) * 1000;
  connection->wants_usage = says_true(body, length, "\"include_usage\"");
  connection->due_ns = now_ns() + option(body, length, "first=", 0) * 1000;
  if (!send_all(fd, STREAM_HEAD, sizeof STREAM_HEAD - 1)) return 0;
  heap_put(heap_size, fd);
  heap_size++;
  heap_sift(connection->heap_at);
  return 1;
}

static void next_event(int fd) {
  Connection *connection = connections[fd];
  if (connection->events_left == 0) {
    heap_remove(fd);
    const char *end = end_chunk[connection->side][connection->wants_usage];
    send_all(fd, end, strlen(end));
    return;
  }
  connection->events_left--;
  connection->due_ns = now_ns() + connection->gap_ns;
  heap_sift(connection->heap_at);
  send_all(fd, token_chunk[connection->side], strlen(token_chunk[connection->side]));
}

static void receive(int fd) {
  Connection *connection = connections[fd];
  if (connection->capacity == connection->used) {
    connection->capacity = connection->capacity == 0 ? 4096 : connection->capacity * 2;
    connection->in = realloc(connection->in, connection->capacity + 1);
  }
  ssize_t got = read(fd, connection->in + connection->used, connection->capacity - connection->used);
  if (got <= 0) {
    if (got < 0 && errno == EAGAIN) return;
    drop(fd);
    return;
  }
  connection->used += got;
  connection->in[connection->used] = 0;
  for (;;) {
    char *blank = memmem(connection->in, connection->used, "\r\n\r\n", 4);
    if (blank == NULL) break;
    size_t head = blank + 4 - connection->in;
    *blank = 0;
    char *field = strcasestr(connection->in, "\r\ncontent-length:");
    *blank = '\r';
    size_t length = field == NULL ? 0 : strtoul(field + 17, NULL, 10);
    if (length > MAX_REQUEST) {
      drop(fd);
      return;
    }
    if (connection->used < head + length) break;
    if (!answer(fd, connection->in, connection->in + head, length)) return;
    connection->used -= head + length;
    memmove(connection->in, connection->in + head + length, connection->used + 1);
  }
  if (connection->used > 2 * MAX_REQUEST) drop(fd);
}

static int open_listener(int *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 4096) != 0) {
    perror("mock");
    exit(1);
  }
  getsockname(fd, (struct sockaddr *)&address, &size);
  *port = ntohs(address.sin_port);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
  return fd;
}

static void accept_all(int listener, int side) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK), on = 1;
    if (fd < 0) return;
    if (fd >= MAX_FDS) {
      close(fd);
      continue;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections[fd] = calloc(1, sizeof(Connection));
    connections[fd]->side = side;
    connections[fd]->heap_at = -1;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
  }
}

int main(void) {
  prepare_process();
  prepare_answers();
  epoll_fd = epoll_create1(0);
  timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct epoll_event timer = {.events = EPOLLIN, .data.fd = timer_fd}, ready[256];
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd, &timer);
  int ports[2], listeners[2];
  for (int side = 0; side < 2; side++) listeners[side] = open_listener(&ports[side]);
  printf("%d %d\n", ports[0], ports[1]);
  fflush(stdout);
  for (;;) {
    int count = epoll_wait(epoll_fd, ready, 256, -1);
    for (int index = 0; index < count; index++) {
      int fd = ready[index].data.fd;
      unsigned long fired;
      if (fd == timer_fd) while (read(timer_fd, &fired, sizeof fired) > 0) {}
      else if (fd == listeners[0] || fd == listeners[1]) accept_all(fd, fd == listeners[1]);
      else if (connections[fd] != NULL) receive(fd);
    }
    for (long now = now_ns(); heap_size > 0 && connections[heap[0]]->due_ns <= now;) next_event(heap[0]);
    if (heap_size == 0) continue;
    long due = connections[heap[0]]->due_ns;
    struct itimerspec next = {.it_value = {.tv_sec = due / 1000000000L, .tv_nsec = due % 1000000000L}};
    timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &next, NULL);
  }
}
