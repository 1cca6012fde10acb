// Starting a script from a process with a real-time thread.
//
// fork() would mark every page of the process copy-on-write, and the fast thread would then pay a page fault for each page it
// touches. vfork() does not: the child borrows our memory until it calls execve(), and only the calling thread waits, which is the control
// thread. In return the child may do nothing but system calls on what was prepared before, and no libc call that talks to the other threads:
// setuid() does (it changes all threads of the process), so the identity is set by the bare system calls.

#include "engine/daemon/script_process.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

namespace vigil::daemon {
namespace {

template <typename Id>
bool read_id(const std::string& text, Id& id) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    return error == std::errc{} && end == text.data() + text.size();
}

/// None for a user that has no name.
std::vector<gid_t> supplementary_groups(const ScriptIdentity& identity) {
    const passwd* entry = ::getpwuid(identity.uid);
    if (entry == nullptr) return {};
    const std::string name = entry->pw_name;
    std::vector<gid_t> groups(64);
    int count = static_cast<int>(groups.size());
    if (::getgrouplist(name.c_str(), identity.gid, groups.data(), &count) < 0) {   // which has set count to how many there are
        groups.resize(static_cast<std::size_t>(count));
        if (::getgrouplist(name.c_str(), identity.gid, groups.data(), &count) < 0) return {};
    }
    groups.resize(static_cast<std::size_t>(count));
    return groups;
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
    std::vector<char*> result;
    for (const std::string& word : words) result.push_back(const_cast<char*>(word.c_str()));
    result.push_back(nullptr);
    return result;
}

std::vector<char*> clean_environment() {
    std::vector<char*> result;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const auto is = [&](const char* name) { return std::strncmp(*entry, name, std::strlen(name)) == 0; };
        if (!is("IFS=") && !is("LD_PRELOAD=") && !is("LD_LIBRARY_PATH=")) result.push_back(*entry);
    }
    result.push_back(nullptr);
    return result;
}

/// In the child, on borrowed memory: system calls only. Returns only when something failed.
void become_script(char* const* arguments, char* const* environment, const ScriptIdentity& identity, int null_fd, int passed_fd) {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number) ::sigaction(number, &action, nullptr);
    ::setpgid(0, 0);
    for (int fd = 0; fd <= 2; ++fd) ::dup2(null_fd, fd);
    if (passed_fd >= 0) ::dup2(passed_fd, 3);
    if (!identity.is_own) {
        if (::syscall(SYS_setgroups, identity.groups.size(), identity.groups.data()) != 0) return;
        if (::syscall(SYS_setresgid, identity.gid, identity.gid, identity.gid) != 0) return;
        if (::syscall(SYS_setresuid, identity.uid, identity.uid, identity.uid) != 0) return;
    }
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // after the identity, which clears it
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execve(arguments[0], arguments, environment);
}

}  // namespace

tl::expected<ScriptIdentity, std::string> find_identity(const std::string& user, const std::string& group, bool with_supplementary_groups) {
    ScriptIdentity identity{::geteuid(), ::getegid(), true};
    const std::string wanted = user.empty() ? "keepalived_script" : user;
    const bool is_number = read_id(wanted, identity.uid);
    const passwd* entry = ::getpwnam(wanted.c_str());
    if (entry == nullptr && is_number) entry = ::getpwuid(identity.uid);
    if (entry != nullptr) {
        identity.uid = entry->pw_uid;
        identity.gid = entry->pw_gid;
    } else if (is_number && group.empty()) {
        return tl::unexpected(fmt::format("no user has the number {}; name a group too, and the script runs with that number", wanted));   // or it would have root's group
    } else if (!is_number && !user.empty()) {
        return tl::unexpected(fmt::format("there is no user '{}'", user));
    }
    std::string group_name = group.starts_with(':') ? group.substr(1) : group;
    if (!group_name.empty()) {
        if (const struct group* found = ::getgrnam(group_name.c_str())) identity.gid = found->gr_gid;
        else if (!read_id(group_name, identity.gid)) return tl::unexpected(fmt::format("there is no group '{}'", group_name));
    }
    identity.is_own = identity.uid == ::geteuid() && identity.gid == ::getegid();
    if (with_supplementary_groups && !identity.is_own) identity.groups = supplementary_groups(identity);
    return identity;
}

tl::expected<pid_t, int> spawn_script(const std::vector<std::string>& arguments, const ScriptIdentity& identity, int passed_fd) {
    if (arguments.empty()) return tl::unexpected(ENOENT);
    const std::vector<char*> argv = pointers(arguments);
    const std::vector<char*> environment = clean_environment();
    const int null_fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0) return tl::unexpected(errno);
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);  // no handler of ours may run in the child
    volatile int error = 0;                         // written by the child, in our memory
    const pid_t pid = ::vfork();
    if (pid == 0) {
        become_script(argv.data(), environment.data(), identity, null_fd, passed_fd);
        error = errno;
        ::_exit(127);
    }
    const int fork_error = pid < 0 ? errno : 0;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::close(null_fd);
    if (fork_error != 0) return tl::unexpected(fork_error);
    if (error != 0) return tl::unexpected(int{error});  // SIGCHLD for the 127 finds no one waiting for it
    return pid;
}

std::string resolve_command(const std::string& command) {
    if (command.find('/') != std::string::npos) return ::access(command.c_str(), F_OK) == 0 ? command : std::string();
    const char* path = std::getenv("PATH");
    std::string_view rest = path != nullptr ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    while (!rest.empty()) {
        const std::size_t colon = rest.find(':');
        const std::string candidate = fmt::format("{}/{}", rest.substr(0, colon), command);
        if (candidate.front() == '/' && ::access(candidate.c_str(), X_OK) == 0) return candidate;
        rest = colon == std::string_view::npos ? std::string_view{} : rest.substr(colon + 1);
    }
    return {};
}

}  // namespace vigil::daemon
