#include "worker/sandbox/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstring>

#include "worker/sandbox/pipe.hpp"

namespace tally::sandbox {

namespace {

using task::FailureReason;
using task::TaskFailure;

constexpr int kPipeBytes = 1 << 20;

struct Pipe {
  int read = -1;
  int write = -1;
};

Result<Pipe, Error> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return fail_with(std::string("cannot make a pipe: ") + std::strerror(errno));
  }
  fcntl(ends[0], F_SETPIPE_SZ, kPipeBytes);  // a larger pipe is only faster
  return Pipe{ends[0], ends[1]};
}

// Starts the program with the given ends as its input and output; every other descriptor is closed.
Result<pid_t, Error> spawn(const std::vector<std::string>& command, int input, int output) {
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  char* const environment[] = {nullptr};

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  // A group of its own, so that Ctrl-C at the worker's terminal is the worker's to handle.
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  pid_t pid = -1;
  const int error =
      posix_spawn(&pid, command[0].c_str(), &actions, &attributes, arguments.data(), environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    return fail_with("cannot start the executor " + command[0] + ": " + std::strerror(error));
  }
  return pid;
}

// The frame's SCALE, or why it could not be had.
struct FrameError {
  std::optional<PipeError> pipe;  // nothing: it came, and was nonsense
  std::string message;
};
template <class T>
Result<T, FrameError> read_frame(PipeExchange& pipe) {
  std::uint8_t prefix[4];
  if (const auto error = pipe.read(prefix)) return fail(FrameError{error, {}});
  const auto size = decode<std::uint32_t>(prefix);
  TALLY_ASSERT(size.ok());
  if (*size > kMaxHeader) {
    return fail(FrameError{{},
                           "expected a header of at most " + to_decimal(kMaxHeader) +
                               " bytes, got one of " + to_decimal(*size)});
  }
  Bytes body(*size);
  if (const auto error = pipe.read(body)) return fail(FrameError{error, {}});
  auto value = decode<T>(body);
  if (!value) return fail(FrameError{{}, "malformed header: " + to_text(value.error())});
  return *std::move(value);
}

// CPU time that the process has used so far, in whole seconds rounded up.
rlim_t cpu_seconds(pid_t pid) {
  clockid_t clock{};
  timespec used{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) return 0;
  return static_cast<rlim_t>(used.tv_sec) + 1;
}

std::string status_text(int status) {
  if (WIFSIGNALED(status)) {
    return std::string("it was ended by signal ") + sigabbrev_np(WTERMSIG(status));
  }
  return "it exited with status " + to_decimal(static_cast<unsigned>(WEXITSTATUS(status)));
}

}  // namespace

Result<std::unique_ptr<Process>, Error> Process::start(const std::vector<std::string>& command,
                                                       std::chrono::milliseconds patience) {
  const Pipe input = TALLY_TRY(make_pipe());
  auto output = make_pipe();
  if (!output) {
    close(input.read);
    close(input.write);
    return fail(output.error());
  }
  std::unique_ptr<Process> process(new Process);
  process->to_ = input.write;
  process->from_ = output->read;
  const auto pid = spawn(command, input.read, output->write);
  close(input.read);
  close(output->write);
  if (!pid) return fail(pid.error());
  process->pid_ = *pid;
  fcntl(process->to_, F_SETFL, O_NONBLOCK);
  fcntl(process->from_, F_SETFL, O_NONBLOCK);

  const std::atomic<bool> never{false};
  PipeExchange pipe({process->to_, process->from_}, std::chrono::steady_clock::now() + patience,
                    never);
  const auto ready = read_frame<Ready>(pipe);
  if (!ready) {
    return fail_with(
        "the executor did not get ready: " +
        (ready.error().pipe ? status_text(process->kill_and_wait()) : ready.error().message));
  }
  process->ready_ = *ready;
  return process;
}

Process::~Process() {
  if (alive()) kill_and_wait();
  close_pipes();
}

void Process::close_pipes() {
  if (to_ >= 0) close(to_);
  if (from_ >= 0) close(from_);
  to_ = from_ = -1;
}

int Process::kill_and_wait() {
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return status;
}

Failure<TaskFailure> Process::killed(FailureReason reason, std::string message) {
  kill_and_wait();
  return {TaskFailure{reason, std::move(message)}};
}

// The output ended: the process is gone, and its status says why.
Failure<TaskFailure> Process::died() {
  int status = 0;
  // It may close its output and live on; it must not.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
  pid_t found = 0;
  while ((found = waitpid(pid_, &status, WNOHANG)) == 0 &&
         std::chrono::steady_clock::now() < deadline) {
    const timespec pause{0, 1'000'000};
    nanosleep(&pause, nullptr);
  }
  if (found != pid_) return killed(FailureReason::crashed, "the executor closed its output");
  pid_ = -1;
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) {
    return {TaskFailure{FailureReason::violation,
                        "the executor made a system call that its sandbox forbids"}};
  }
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU) {
    return {TaskFailure{FailureReason::cpu_time, "the task used up its CPU time"}};
  }
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
    return {TaskFailure{FailureReason::out_of_memory,
                        "the executor was killed by the system, most likely for its memory"}};
  }
  return {TaskFailure{FailureReason::crashed, "the executor died: " + status_text(status)}};
}

executors::TaskResult Process::run(const Job& job, const JobLimits& limits,
                                   const std::atomic<bool>& cancel) {
  TALLY_ASSERT(alive());
  // The limit counts from the process's start, so it moves with each job. The hard limit stays,
  // since an unprivileged worker could not raise it again; the executor cannot change either.
  const rlimit cpu{cpu_seconds(pid_) + static_cast<rlim_t>(limits.cpu.count()), RLIM_INFINITY};
  prlimit(pid_, RLIMIT_CPU, &cpu, nullptr);

  const Bytes header = frame(JobHeader{job.id, job.type, to_bytes(job.spec), job.input.size()});
  PipeExchange pipe({to_, from_}, std::chrono::steady_clock::now() + limits.wall, cancel);
  pipe.queue(header);
  pipe.queue(job.input);
  const auto pipe_failure = [&](PipeError error) -> Failure<TaskFailure> {
    switch (error) {
      case PipeError::closed:
        return died();
      case PipeError::timeout:
        return killed(FailureReason::wall_time,
                      "the task did not end within " + to_decimal(limits.wall.count()) + " ms");
      case PipeError::cancelled:
        return killed(FailureReason::cancelled, "the task was cancelled");
    }
    __builtin_unreachable();
  };
  const auto answer = read_frame<AnswerHeader>(pipe);
  if (!answer) {
    if (answer.error().pipe) return pipe_failure(*answer.error().pipe);
    return killed(FailureReason::bad_answer, answer.error().message);
  }
  if (answer->id != job.id) {
    return killed(FailureReason::bad_answer, "expected the answer to job " + to_decimal(job.id) +
                                                 ", got one to " + to_decimal(answer->id));
  }
  if (const auto* failed = std::get_if<JobFailed>(&answer->answer)) return fail(failed->failure);
  const auto& done = std::get<JobDone>(answer->answer);
  if (done.output_size > std::min(limits.output_bytes, kMaxOutput)) {
    return killed(FailureReason::bad_answer,
                  "expected an output of at most " + to_decimal(limits.output_bytes) +
                      " bytes, got one of " + to_decimal(done.output_size));
  }
  executors::TaskOutput output{.bytes = Bytes(done.output_size), .hash = done.output_hash};
  if (const auto error = pipe.read(output.bytes)) return pipe_failure(*error);
  return output;
}

}  // namespace tally::sandbox
