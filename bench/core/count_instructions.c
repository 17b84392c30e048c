/* A plugin for qemu-aarch64 7: prints how many instructions a process took. The declarations are those of its plugin interface. */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef uint64_t id_of_plugin;
struct block;
extern size_t qemu_plugin_tb_n_insns(const struct block *);
extern void qemu_plugin_register_vcpu_tb_trans_cb(id_of_plugin, void (*)(id_of_plugin, struct block *));
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct block *, int add, void *to, uint64_t what);
extern void qemu_plugin_register_atexit_cb(id_of_plugin, void (*)(id_of_plugin, void *), void *);

int qemu_plugin_version = 1;
static uint64_t instructions;

static void translated(id_of_plugin id, struct block *block)
{
    qemu_plugin_register_vcpu_tb_exec_inline(block, 0, &instructions, qemu_plugin_tb_n_insns(block));
}

static void ended(id_of_plugin id, void *nothing)
{
    fprintf(stderr, "instructions %" PRIu64 "\n", instructions);
}

int qemu_plugin_install(id_of_plugin id, const void *about, int count, char **words)
{
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ended, NULL);
    return 0;
}
