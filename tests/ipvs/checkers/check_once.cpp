// Makes one check and prints the verdict as JSON, for tests that bring a server:
//
//   check_once METHOD ADDRESS PORT [WORD[=VALUE]...]
//
// METHOD: tcp http smtp dns udp ping misc. Each url=PATH begins a URL to which the words behind it belong. Times are in milliseconds.

#include <utility>   // before awaitable.hpp of Boost 1.74, which forgets it

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include <nlohmann/json.hpp>

#include "ipvs/checkers/check.h"
#include "ipvs/checkers/dns_message.h"
#include "ipvs/checkers/http_judge.h"
#include "ipvs/checkers/reply_match.h"

using namespace vigil;
using namespace vigil::checkers;

namespace {

[[noreturn]] void usage(const std::string& what) {
    std::cerr << "check_once: " << what << "\n";
    std::exit(2);
}

template <typename T>
T need(std::optional<T> value, const std::string& what) {
    if (!value) usage("bad value of " + what);
    return *value;
}

class PlainStarter : public ScriptStarter {
public:
    tl::expected<pid_t, std::string> start(const MiscSpec& spec) override {
        std::vector<char*> arguments;
        for (const std::string& argument : spec.arguments) arguments.push_back(const_cast<char*>(argument.c_str()));
        arguments.push_back(nullptr);
        if (::access(arguments[0], X_OK) != 0) return tl::unexpected(std::string("no such program"));
        const pid_t pid = ::fork();
        if (pid != 0) return pid;
        ::setpgid(0, 0);
        const int null_fd = ::open("/dev/null", O_RDWR);
        for (int fd = 0; fd <= 2; ++fd) ::dup2(null_fd, fd);   // as the daemon does
        ::execv(arguments[0], arguments.data());
        ::_exit(127);
    }
};

HttpProtocol protocol_of(const std::string& word) {
    if (word == "1.0") return HttpProtocol::http_1_0;
    if (word == "1.0C") return HttpProtocol::http_1_0_close;
    if (word == "1.1") return HttpProtocol::http_1_1;
    if (word == "2") return HttpProtocol::http_2;
    usage("bad protocol " + word);
}

void read_http_word(HttpSpec& http, const std::string& key, const std::string& value) {
    const auto tls = [&]() -> TlsSpec& { return http.tls ? *http.tls : http.tls.emplace(); };
    if (key == "url") return void(http.urls.push_back({.path = value}));
    if (key == "protocol") return void(http.protocol = protocol_of(value));
    if (key == "ssl") return void(tls());
    if (key == "sni") return void(tls().send_name = true);
    if (key == "verify") return void(tls().verify = true);
    if (key == "ca") return void(tls().ca_file = value);
    if (key == "name") return void(tls().name = value);
    if (key == "certificate") return void(tls().certificate_file = value);
    if (http.urls.empty()) usage("no url before " + key);
    UrlSpec& url = http.urls.back();
    if (key == "virtual_host") url.virtual_host = value;
    else if (key == "digest") url.digest = need(read_md5(value), key);
    else if (key == "status") url.status.push_back({static_cast<std::uint16_t>(std::stoi(value)), static_cast<std::uint16_t>(std::stoi(value.substr(value.find('-') + 1)))});
    else if (key == "regex") url.regex.emplace().pattern = value;
    else if (key == "regex_option") add_regex_option(*url.regex, value);
    else if (key == "min_offset") url.regex->min_offset = std::stoull(value);
    else if (key == "max_offset") url.regex->max_offset = std::stoull(value);
    else if (key == "no_match") url.regex->must_not_match = true;
    else if (key == "compliant") url.tls_compliant = true;
    else usage("unknown word " + key);
}

void read_word(Method& method, const std::string& key, const std::string& value) {
    if (auto* http = std::get_if<HttpSpec>(&method)) return read_http_word(*http, key, value);
    if (auto* smtp = std::get_if<SmtpSpec>(&method); smtp && key == "helo") return void(smtp->helo_name = value);
    if (auto* dns = std::get_if<DnsSpec>(&method); dns && key == "name") return void(dns->name = value);
    if (auto* dns = std::get_if<DnsSpec>(&method); dns && key == "type") return void(dns->type = need(find_dns_type(value), key));
    if (auto* udp = std::get_if<UdpSpec>(&method)) {
        if (key == "payload") return void(udp->payload = need(read_octets(value), key));
        if (key == "min") return void(udp->min_reply_length = static_cast<std::uint16_t>(std::stoi(value)));
        if (key == "max") return void(udp->max_reply_length = static_cast<std::uint16_t>(std::stoi(value)));
        if (key == "reply") {
            udp->require_reply = true;
            return void(udp->reply = need(read_masked_octets(value), key));
        }
    }
    if (auto* misc = std::get_if<MiscSpec>(&method)) {
        if (key == "argument") return void(misc->arguments.push_back(value));
        if (key == "limit") return void(misc->timeout = std::chrono::milliseconds(std::stoi(value)));
        if (key == "dynamic") return void(misc->dynamic = true);
    }
    usage("unknown word " + key);
}

Method method_of(const std::string& word) {
    if (word == "tcp") return TcpSpec{};
    if (word == "http") return HttpSpec{};
    if (word == "smtp") return SmtpSpec{};
    if (word == "dns") return DnsSpec{};
    if (word == "udp") return UdpSpec{};
    if (word == "ping") return PingSpec{};
    if (word == "misc") return MiscSpec{};
    usage("unknown method " + word);
}

CheckSpec read_arguments(int count, char** arguments) {
    if (count < 4) usage("METHOD ADDRESS PORT [WORD...]");
    CheckSpec spec;
    CommonSpec& common = spec.common;
    spec.method = method_of(arguments[1]);
    common.address = need(read_address(arguments[2]), "ADDRESS");
    common.port = static_cast<std::uint16_t>(std::atoi(arguments[3]));
    for (int i = 4; i < count; ++i) {
        const std::string word = arguments[i];
        const std::string key = word.substr(0, word.find('='));
        const std::string value = key.size() < word.size() ? word.substr(key.size() + 1) : "";
        if (key == "timeout") common.connect_timeout = std::chrono::milliseconds(std::stoi(value));
        else if (key == "bind") common.bind_address = read_address(value);
        else if (key == "bind_port") common.bind_port = static_cast<std::uint16_t>(std::stoi(value));
        else if (key == "interface") common.bind_interface = value;
        else if (key == "mark") common.mark = static_cast<std::uint32_t>(std::stoul(value));
        else read_word(spec.method, key, value);
    }
    return spec;
}

void reap(asio::signal_set& signals, ScriptTable& scripts) {
    signals.async_wait([&](const error_code& error, int) {
        if (error) return;
        int status = 0;
        while (const pid_t pid = ::waitpid(-1, &status, WNOHANG)) {
            if (pid < 0) break;
            scripts.on_process_end(pid, status);
        }
        reap(signals, scripts);
    });
}

/// Not ru_maxrss, which includes that of whoever started us.
long most_memory_kibibytes() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        if (word == "VmHWM:") {
            long value = 0;
            status >> value;
            return value;
        }
    }
    usage("/proc/self/status has no VmHWM");
}

}  // namespace

int main(int count, char** arguments) {
    const CheckSpec spec = read_arguments(count, arguments);
    asio::io_context io;
    Resources resources;
    PlainStarter starter;
    ScriptTable scripts(starter);
    asio::signal_set signals(io, SIGCHLD);
    reap(signals, scripts);
    const auto run = std::make_shared<CheckRun>(io.get_executor());
    Verdict verdict;
    asio::co_spawn(io, check(run, resources, scripts, std::make_shared<const CheckSpec>(spec)), [&](std::exception_ptr exception, Verdict found) {
        verdict = exception ? undecided("an exception") : std::move(found);
        signals.cancel();
    });
    io.run();
    constexpr const char* outcomes[] = {"ok", "failed", "undecided"};
    nlohmann::json answer = {{"outcome", outcomes[static_cast<int>(verdict.outcome)]},
                             {"cause", verdict.cause},
                             {"timed_out", verdict.timed_out},
                             {"milliseconds", std::chrono::duration_cast<std::chrono::milliseconds>(verdict.duration).count()}};
    answer["rss_kib"] = most_memory_kibibytes();
    if (verdict.weight) answer["weight"] = *verdict.weight;
    std::cout << answer.dump() << "\n";
}
