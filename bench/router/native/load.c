/*
 * The clients of the bench: a closed loop of requests over connections that are kept.
 *
 *   load PORT REQUEST_FILE CONNECTIONS MILLISECONDS SEED
 *   load PORT REQUEST_FILE CONNECTIONS hold SEED      begins a stream on each connection, says "held", waits for its stdin to end
 *
 * The file holds a request, head and body. In it "@@@@@" stands for the number of one of 10,000 users, drawn for each
 * request. Prints one line of JSON. A failure is a connection that ends, an answer cut short, a stream without [DONE], or
 * no answer within 15 s of the end. At the end requests under way are waited for: what was begun counts, and its time too.
 */
#include "common.h"

#define HEAD_LIMIT 16384
#define USERS 10000
#define GRACE_NS 15000000000L
#define MAX_FAILURES 1000
#define MAX_SAMPLES (1 << 23)

enum { HEAD, LENGTH, CHUNK_SIZE, CHUNK_DATA, CHUNK_END, TRAILER };

typedef struct {
  int fd, stage, status, is_stream, busy, line_used;
  char *request, head[HEAD_LIMIT], line[16], tail[8];
  size_t sent, head_used, left;
  long sent_ns, first_ns;
} Client;

static int port, epoll_fd, client_count, holding;
static size_t request_size, places[64];
static int place_count, busy_count, held_count;
static long requests, failed, other_status, events, last_ns;
static uint64_t random_state;
static uint32_t *latency, *ttft;
static long latency_count, ttft_count;
static Client *clients;

/* xorshift64: the same seed draws the same users. */
static unsigned next_user(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state % USERS;
}

static void watch(Client *client, uint32_t wanted, int operation) {
  struct epoll_event event = {.events = wanted, .data.ptr = client};
  epoll_ctl(epoll_fd, operation, client->fd, &event);
}

static void fail(Client *client);

static void connect_client(Client *client) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int on = 1;
  client->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(client->fd, (struct sockaddr *)&address, sizeof address) != 0) {
    perror("load: connect");
    exit(1);
  }
  setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(client->fd, F_SETFL, O_NONBLOCK);
  watch(client, EPOLLIN, EPOLL_CTL_ADD);
}

/* A request longer than the socket's buffer goes on when there is room again. */
static void send_rest(Client *client) {
  ssize_t wrote = write(client->fd, client->request + client->sent, request_size - client->sent);
  if (wrote > 0) client->sent += wrote;
  else if (errno != EAGAIN) {
    fail(client);
    return;
  }
  watch(client, client->sent < request_size ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
}

static void begin(Client *client) {
  char user[8];
  snprintf(user, sizeof user, "%05u", next_user());
  for (int place = 0; place < place_count; place++) memcpy(client->request + places[place], user, 5);
  client->stage = HEAD;
  client->head_used = client->sent = client->status = client->is_stream = client->line_used = client->first_ns = 0;
  memset(client->tail, 0, sizeof client->tail);
  client->busy = 1;
  busy_count++;
  client->sent_ns = now_ns();
  ssize_t wrote = write(client->fd, client->request, request_size);
  client->sent = wrote > 0 ? wrote : 0;
  if (client->sent < request_size) send_rest(client);
}

static void settle(Client *client) {
  client->busy = 0;
  busy_count--;
  last_ns = now_ns();
}

static void fail(Client *client) {
  settle(client);
  close(client->fd);
  if (++failed >= MAX_FAILURES) {
    fprintf(stderr, "load: %d failures\n", MAX_FAILURES);
    exit(1);
  }
  connect_client(client);
}

static void finish(Client *client) {
  settle(client);
  requests++;
  if (client->status != 200) other_status++;
  else if (client->is_stream && memcmp(client->tail, "[DONE]\n\n", 8) != 0) failed++;
  if (latency_count < MAX_SAMPLES) latency[latency_count++] = (last_ns - client->sent_ns) / 10;
  if (client->is_stream && ttft_count < MAX_SAMPLES) ttft[ttft_count++] = (client->first_ns - client->sent_ns) / 10;
}

/* Bytes of an answer's body: counts events and keeps the end. */
static void body(Client *client, const char *bytes, size_t length) {
  if (!client->is_stream || length == 0) return;
  if (client->first_ns == 0) {
    client->first_ns = now_ns();
    held_count++;
  }
  char before = client->tail[7];
  for (const char *at = bytes, *end = bytes + length; (at = memchr(at, '\n', end - at)) != NULL; at++) {
    if ((at == bytes ? before : at[-1]) == '\n') events++;
  }
  size_t kept = length < 8 ? length : 8;
  memmove(client->tail, client->tail + kept, 8 - kept);
  memcpy(client->tail + 8 - kept, bytes + length - kept, kept);
}

/* Takes what belongs to the head; -1 = no HTTP. */
static ssize_t take_head(Client *client, const char *bytes, size_t length) {
  size_t room = HEAD_LIMIT - 1 - client->head_used, before = client->head_used;
  size_t taken = length < room ? length : room;
  memcpy(client->head + before, bytes, taken);
  client->head_used += taken;
  client->head[client->head_used] = 0;
  char *blank = strstr(client->head, "\r\n\r\n");
  if (blank == NULL) return room == 0 ? -1 : (ssize_t)taken;
  blank[2] = 0;
  if (strncmp(client->head, "HTTP/1.1 ", 9) != 0) return -1;
  client->status = atoi(client->head + 9);
  client->is_stream = strcasestr(client->head, "\r\ncontent-type: text/event-stream") != NULL;
  char *size = strcasestr(client->head, "\r\ncontent-length:");
  if (size != NULL) {
    client->left = strtoul(size + 17, NULL, 10);
    client->stage = LENGTH;
  } else if (strcasestr(client->head, "\r\ntransfer-encoding: chunked") != NULL) client->stage = CHUNK_SIZE;
  else return -1;
  return blank + 4 - client->head - before;
}

/* Takes a line byte by byte; true when it is whole. */
static int take_line(Client *client, char byte) {
  if (byte != '\n') {
    if (byte != '\r' && client->line_used < (int)sizeof client->line - 1) client->line[client->line_used++] = byte;
    return 0;
  }
  client->line[client->line_used] = 0;
  return 1;
}

/* 1 = the answer is whole, 0 = more to come, -1 = broken. */
static int take(Client *client, const char *bytes, size_t length) {
  size_t at = 0;
  while (at < length) {
    if (client->stage == HEAD) {
      ssize_t taken = take_head(client, bytes + at, length - at);
      if (taken < 0) return -1;
      at += taken;
      if (client->stage == LENGTH && client->left == 0) return 1;
    } else if (client->stage == LENGTH || client->stage == CHUNK_DATA) {
      size_t taken = length - at < client->left ? length - at : client->left;
      body(client, bytes + at, taken);
      at += taken;
      client->left -= taken;
      if (client->left > 0) continue;
      if (client->stage == LENGTH) return at == length ? 1 : -1;
      client->stage = CHUNK_END;
    } else if (take_line(client, bytes[at++])) {
      int empty = client->line_used == 0;
      client->line_used = 0;
      if (client->stage == TRAILER && empty) return at == length ? 1 : -1;
      if (client->stage == CHUNK_SIZE) {
        client->left = strtoul(client->line, NULL, 16);
        client->stage = client->left == 0 ? TRAILER : CHUNK_DATA;
      } else if (client->stage == CHUNK_END) client->stage = CHUNK_SIZE;
    }
  }
  return 0;
}

static void receive(Client *client) {
  static char bytes[262144];
  ssize_t got = read(client->fd, bytes, sizeof bytes);
  if (got < 0 && errno == EAGAIN) return;
  int state = got <= 0 || !client->busy ? -1 : take(client, bytes, got);
  if (state == 1) finish(client);
  else if (state < 0 && client->busy) fail(client);
  else if (state < 0) {
    /* It closed a connection that nobody used: its right. */
    close(client->fd);
    connect_client(client);
  }
}

static int ascending(const void *left, const void *right) {
  uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
  return a < b ? -1 : a > b;
}

static void print_quantiles(const char *name, uint32_t *values, long count) {
  qsort(values, count, sizeof *values, ascending);
  if (count == 0) printf(",\"%s\":null", name);
  else printf(",\"%s\":{\"p50\":%.2f,\"p99\":%.2f}", name, values[count / 2] / 100.0, values[count * 99 / 100] / 100.0);
}

static void read_request(const char *path) {
  FILE *file = fopen(path, "rb");
  static char text[1 << 20];
  if (file == NULL || (request_size = fread(text, 1, sizeof text, file)) == 0) {
    perror("load: request");
    exit(1);
  }
  for (size_t at = 0; at + 5 <= request_size && place_count < 64; at++) {
    if (memcmp(text + at, "@@@@@", 5) == 0) places[place_count++] = at;
  }
  for (int index = 0; index < client_count; index++) {
    clients[index].request = malloc(request_size);
    memcpy(clients[index].request, text, request_size);
  }
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  prepare_process();
  port = atoi(argv[1]);
  client_count = atoi(argv[3]);
  holding = strcmp(argv[4], "hold") == 0;
  random_state = strtoull(argv[5], NULL, 10) * 2654435761u + 88172645463325252u;
  latency = malloc(MAX_SAMPLES * sizeof *latency);
  ttft = malloc(MAX_SAMPLES * sizeof *ttft);
  clients = calloc(client_count, sizeof *clients);
  epoll_fd = epoll_create1(0);
  read_request(argv[2]);
  for (int index = 0; index < client_count; index++) connect_client(&clients[index]);
  if (holding) watch(&(Client){.fd = 0}, EPOLLIN, EPOLL_CTL_ADD);
  long started = now_ns(), end = started + (holding ? 3600000000000L : atol(argv[4]) * 1000000L);
  for (int index = 0; index < client_count; index++) begin(&clients[index]);
  struct epoll_event ready[256];
  int said = 0;
  while (now_ns() < end + GRACE_NS && (busy_count > 0 || now_ns() < end)) {
    int count = epoll_wait(epoll_fd, ready, 256, 100);
    for (int index = 0; index < count; index++) {
      Client *client = ready[index].data.ptr;
      if (client < clients || client >= clients + client_count) return 0;
      if (client->busy && client->sent < request_size) send_rest(client);
      if ((ready[index].events & ~EPOLLOUT) != 0) receive(client);
      if (!client->busy && !holding && now_ns() < end) begin(client);
    }
    if (holding && failed > 0) return 1;
    if (holding && !said && held_count == client_count) {
      said = 1;
      printf("held\n");
      fflush(stdout);
    }
  }
  failed += busy_count;
  printf("{\"requests\":%ld,\"failed\":%ld,\"otherStatus\":%ld,\"events\":%ld,\"seconds\":%.6f", requests, failed,
         other_status, events, (last_ns - started) / 1e9);
  print_quantiles("latencyUs", latency, latency_count);
  print_quantiles("ttftUs", ttft, ttft_count);
  printf("}\n");
  return 0;
}
