/* A stand-in for libedgetpu: a TFLite delegate that takes edgetpu-custom-op, or fails in one known way.

   The structures repeat TFLite's C interface up to what is used here. Built by standin.py with
   -DMODE=0..6, -DVERSION="...", -DDEVICES=n, and -DNO_PLUGIN or -DNO_EDGETPU to leave functions out. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { WORKS, SILENT, SPEAKS, CRASH_AT_LOAD, CRASH_AT_MODEL, TAKES_NOTHING, TAKES_DENSE };

typedef struct { int size; int data[]; } Ints;
typedef struct { int type; union { int8_t *bytes; } data; void *later[12]; } Tensor; /* 112 bytes */
typedef struct { Ints *inputs, *outputs; } Node;
typedef struct Context Context;
typedef struct {
  void *(*init)(Context *, const char *, size_t);
  void (*free)(Context *, void *);
  int (*prepare)(Context *, Node *);
  int (*invoke)(Context *, Node *);
  const char *(*profile)(const Context *, const Node *);
  int32_t builtin_code;
  const char *custom_name;
  int version;
  void *later[8];
} Registration;
typedef struct Delegate Delegate;
struct Context {
  size_t tensors_size;
  int (*plan)(Context *, Ints **);
  Tensor *tensors;
  void *impl;
  void *resize, *report, *add;
  int (*node)(Context *, int, Node **, Registration **);
  int (*replace)(Context *, Registration, const Ints *, Delegate *);
};
struct Delegate {
  void *data;
  int (*prepare)(Context *, Delegate *);
  void *from, *to, *release;
  int64_t flags;
  void *later[4];
};

static int ready(Context *context, Node *node) { return 0; }

/* The answer is the beginning of the image. */
static int answer(Context *context, Node *node) {
  Tensor *in = &context->tensors[node->inputs->data[0]];
  Tensor *out = &context->tensors[node->outputs->data[0]];
  memcpy(out->data.bytes, in->data.bytes, 3);
  return 0;
}

static int take(Context *context, Delegate *delegate) {
  Ints *plan, *mine;
  if (MODE == CRASH_AT_MODEL) *(volatile int *)0 = 0;
  if (context->plan(context, &plan)) return 1;
  mine = malloc(sizeof(int) * (plan->size + 1));
  mine->size = 0;
  for (int k = 0; k < plan->size; k++) {
    Node *node;
    Registration *kind;
    if (context->node(context, plan->data[k], &node, &kind)) return 1;
    int compiled = kind->custom_name && !strcmp(kind->custom_name, "edgetpu-custom-op");
    if (MODE == TAKES_DENSE ? kind->builtin_code == 9 : compiled && MODE != TAKES_NOTHING)
      mine->data[mine->size++] = plan->data[k];
  }
  Registration kernel = {0};
  kernel.prepare = ready;
  kernel.invoke = answer;
  kernel.custom_name = "StandIn";
  kernel.version = 1;
  int status = mine->size ? context->replace(context, kernel, mine, delegate) : 0;
  free(mine);
  return status;
}

#ifndef NO_PLUGIN
Delegate *tflite_plugin_create_delegate(char **keys, char **values, size_t count, void (*report)(const char *)) {
  if (MODE == CRASH_AT_LOAD) *(volatile int *)0 = 0;
  if (MODE == SPEAKS) report("the device answers with error 7");
  for (size_t k = 0; k < count; k++)
    if (strcmp(keys[k], "device")) return NULL;
  if (MODE == SILENT || MODE == SPEAKS) return NULL;
  Delegate *delegate = calloc(1, sizeof(Delegate));
  delegate->prepare = take;
  delegate->flags = 1; /* allows dynamic tensors: else the runtime prepares the custom operator first, and fails */
  return delegate;
}
void tflite_plugin_destroy_delegate(Delegate *delegate) { free(delegate); }
#endif

#ifndef NO_EDGETPU
typedef struct { int type; const char *path; } Device;
const char *edgetpu_version(void) { return VERSION; }
Device *edgetpu_list_devices(size_t *count) {
  *count = DEVICES;
  Device *found = calloc(DEVICES + 1, sizeof(Device));
  for (int k = 0; k < DEVICES; k++) found[k] = (Device){k % 2 ? 0 : 1, k % 2 ? "/dev/apex_0" : "/sys/bus/usb/devices/1-9"};
  return DEVICES ? found : (free(found), NULL);
}
void edgetpu_free_devices(Device *devices) { free(devices); }
#endif
