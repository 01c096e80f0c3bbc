#include "worker/sandbox/lockdown.hpp"

#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <vector>

namespace tally::sandbox {

namespace {

Failure<Error> system_error(const std::string& what) {
  return fail_with("cannot close the sandbox: " + what + ": " + std::strerror(errno));
}

// linux/landlock.h of Debian 12 ends at ABI 2; the structure of later kernels is longer, and a
// kernel takes any size that it knows.
struct LandlockRuleset {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;  // ABI 4
  std::uint64_t scoped;              // ABI 6
};

// Rights known to an ABI: 13 of files, then REFER (2), TRUNCATE (3), IOCTL_DEV (5).
std::uint64_t landlock_file_rights(int abi) {
  std::uint64_t bits = 13;
  if (abi >= 2) bits = 14;
  if (abi >= 3) bits = 15;
  if (abi >= 5) bits = 16;
  return (std::uint64_t{1} << bits) - 1;
}

// A ruleset without a rule forbids all that it handles. Returns the ABI, 0 where there is none.
Result<std::uint8_t, Error> close_files() {
  const long abi =
      syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi <= 0) return std::uint8_t{0};
  LandlockRuleset rules{landlock_file_rights(static_cast<int>(abi)), 0, 0};
  std::size_t size = sizeof(std::uint64_t);
  if (abi >= 4) {
    rules.handled_access_net = 3;  // bind, connect
    size = 2 * sizeof(std::uint64_t);
  }
  if (abi >= 6) {
    rules.scoped = 3;  // abstract sockets, signals
    size = sizeof(rules);
  }
  const long ruleset = syscall(SYS_landlock_create_ruleset, &rules, size, 0);
  if (ruleset < 0) return system_error("landlock_create_ruleset");
  if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) {
    return system_error("landlock_restrict_self");
  }
  close(static_cast<int>(ruleset));
  return static_cast<std::uint8_t>(abi);
}

// As root a network namespace is enough; others need a user namespace, which may be forbidden.
bool leave_network() {
  return unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
}

Result<void, Error> set_limit(__rlimit_resource_t resource, const char* name, rlim_t value) {
  const rlimit limit{value, value};
  if (setrlimit(resource, &limit) != 0) return system_error(name);
  return {};
}

// Mapped now, in bytes: the program and its libraries are not charged to the task.
Result<std::uint64_t, Error> mapped_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return system_error("/proc/self/statm");
  unsigned long pages = 0;
  const int read = std::fscanf(file, "%lu", &pages);
  std::fclose(file);
  if (read != 1) return system_error("/proc/self/statm is not a number");
  return std::uint64_t{pages} * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

Result<void, Error> set_limits(const LockdownOptions& options) {
  if (!options.gpu) {
    const std::uint64_t mapped = TALLY_TRY(mapped_bytes());
    TALLY_TRY(set_limit(RLIMIT_AS, "RLIMIT_AS", mapped + options.memory_bytes));
    TALLY_TRY(set_limit(RLIMIT_NPROC, "RLIMIT_NPROC", 0));
  }
  TALLY_TRY(set_limit(RLIMIT_FSIZE, "RLIMIT_FSIZE", 0));
  TALLY_TRY(set_limit(RLIMIT_CORE, "RLIMIT_CORE", 0));
  return {};
}

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_KILL_PROCESS)) {}
  ~Filter() { seccomp_release(context_); }
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  void allow(std::initializer_list<int> calls) {
    for (const int call : calls) add(seccomp_rule_add(context_, SCMP_ACT_ALLOW, call, 0));
  }
  void allow_if(int call, scmp_arg_cmp condition) {
    add(seccomp_rule_add_array(context_, SCMP_ACT_ALLOW, call, 1, &condition));
  }
  bool install() { return context_ != nullptr && good_ && seccomp_load(context_) == 0; }

 private:
  void add(int result) { good_ = good_ && result == 0; }

  scmp_filter_ctx context_;
  bool good_ = true;
};

scmp_arg_cmp descriptor_is(int fd) {
  return SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(fd));
}

scmp_arg_cmp not_executable() {
  return SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
}

Result<void, Error> filter_calls(bool gpu) {
  Filter filter;
  filter.allow({SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
                SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn), SCMP_SYS(futex),
                SCMP_SYS(clock_gettime), SCMP_SYS(restart_syscall)});
  filter.allow_if(SCMP_SYS(mmap), not_executable());
  filter.allow_if(SCMP_SYS(mprotect), not_executable());
  if (gpu) {
    filter.allow({SCMP_SYS(read),        SCMP_SYS(write),           SCMP_SYS(ioctl),
                  SCMP_SYS(poll),        SCMP_SYS(ppoll),           SCMP_SYS(close),
                  SCMP_SYS(sched_yield), SCMP_SYS(gettid),          SCMP_SYS(getpid),
                  SCMP_SYS(clone3),      SCMP_SYS(clone),           SCMP_SYS(set_robust_list),
                  SCMP_SYS(rseq),        SCMP_SYS(rt_sigprocmask),  SCMP_SYS(rt_sigaction),
                  SCMP_SYS(nanosleep),   SCMP_SYS(clock_nanosleep), SCMP_SYS(eventfd2),
                  SCMP_SYS(mlock),       SCMP_SYS(munlock),         SCMP_SYS(sched_getaffinity),
                  SCMP_SYS(sysinfo),     SCMP_SYS(get_mempolicy),   SCMP_SYS(mbind),
                  SCMP_SYS(fcntl)});
  } else {
    filter.allow_if(SCMP_SYS(read), descriptor_is(STDIN_FILENO));
    filter.allow_if(SCMP_SYS(write), descriptor_is(STDOUT_FILENO));
  }
  if (!filter.install()) return system_error("seccomp");
  return {};
}

}  // namespace

Result<Ready, Error> lock_down(const LockdownOptions& options) {
  Ready ready;
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return system_error("PR_SET_PDEATHSIG");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return system_error("PR_SET_NO_NEW_PRIVS");
  TALLY_TRY(set_limits(options));
  ready.network_namespace = leave_network();
  ready.landlock_abi = TALLY_TRY(close_files());
  if (!options.gpu) TALLY_TRY(set_limit(RLIMIT_NOFILE, "RLIMIT_NOFILE", 0));
  TALLY_TRY(filter_calls(options.gpu));
  return ready;
}

}  // namespace tally::sandbox
