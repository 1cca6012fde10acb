// `vigil digest`: what `digest` in a url block of HTTP_GET or SSL_GET has to say. It fetches the page as the checker would, so that the two agree on what the
// body is. The options are those of keepalived's genhash, and by that name the program is nothing else.

#include "engine/cli/command.h"

#include <fmt/core.h>
#include <nettle/md5.h>

#include <utility>   // before awaitable.hpp of Boost 1.74, which forgets it

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <CLI/CLI.hpp>

#include "ipvs/checkers/http_check.h"
#include "ipvs/checkers/http_judge.h"

namespace vigil::cli {
namespace {

struct Options {
    std::string server;
    std::uint16_t port = 0;
    std::string path = "/";
    std::string virtual_host;
    std::string protocol = "1.0";
    double timeout = 5;
    std::uint32_t mark = 0;
    bool uses_ssl = false;
    bool uses_sni = false;
    bool is_verbose = false;
};

/// Takes the digest of a body of any size.
class DigestTaker : public checkers::HttpListener {
public:
    DigestTaker() { ::md5_init(&md5_); }

    void on_status(unsigned code) override { status_ = code; }
    void on_body(std::string_view octets) override {
        size_ += octets.size();
        ::md5_update(&md5_, octets.size(), reinterpret_cast<const std::uint8_t*>(octets.data()));
    }
    void on_end() override {}
    bool is_settled() const override { return false; }

    unsigned status() const { return status_; }
    std::uint64_t size() const { return size_; }
    checkers::Md5 digest() {
        checkers::Md5 digest{};
        ::md5_digest(&md5_, digest.size(), digest.data());
        return digest;
    }

private:
    md5_ctx md5_{};
    unsigned status_ = 0;
    std::uint64_t size_ = 0;
};

struct Request {
    checkers::CommonSpec common;
    checkers::HttpSpec http;
};

Request make_request(const Options& options, const IpAddress& address) {
    using checkers::HttpProtocol;
    Request request;
    request.common.address = address;
    request.common.port = options.port != 0 ? options.port : options.uses_ssl ? std::uint16_t{443} : std::uint16_t{80};
    request.common.mark = options.mark;
    request.common.connect_timeout = std::chrono::milliseconds(static_cast<long>(options.timeout * 1000));
    request.http.urls = {checkers::UrlSpec{.path = options.path, .virtual_host = options.virtual_host}};
    if (options.protocol == "1.0c") request.http.protocol = HttpProtocol::http_1_0_close;
    else if (options.protocol == "1.1") request.http.protocol = HttpProtocol::http_1_1;
    else if (options.protocol == "2") request.http.protocol = HttpProtocol::http_2;
    if (options.uses_ssl) request.http.tls = checkers::TlsSpec{.send_name = options.uses_sni};
    return request;
}

/// Nullopt when the page was fetched.
std::optional<checkers::Verdict> fetch_page(const Request& request, DigestTaker& taker) {
    boost::asio::io_context io;
    checkers::Resources resources;
    const auto run = std::make_shared<checkers::CheckRun>(io.get_executor());
    std::optional<checkers::Verdict> verdict;
    boost::asio::co_spawn(io, checkers::fetch(*run, resources, request.common, request.http, request.http.urls.front(), taker),
                          [&](std::exception_ptr exception, std::optional<checkers::Verdict> found) {
                              verdict = exception ? checkers::undecided("out of memory") : std::move(found);
                              run->finish();
                          });
    io.run();
    return verdict;
}

int print_digest(const Options& options) {
    const auto address = read_address(options.server);
    if (!address) {
        fmt::print(stderr, "the server is given by its IP address, which '{}' is not\n", options.server);
        return 1;
    }
    if (!options.path.starts_with('/') || options.path.find_first_of(" \r\n") != std::string::npos) {
        fmt::print(stderr, "the url begins with '/' and has no spaces\n");
        return 1;
    }
    const Request request = make_request(options, *address);
    DigestTaker taker;
    const auto begin = std::chrono::steady_clock::now();
    if (const auto verdict = fetch_page(request, taker)) {
        fmt::print(stderr, "{}: {}\n", checkers::host_and_port(*address, request.common.port), verdict->cause);
        return 1;
    }
    const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin).count();
    if (options.is_verbose) fmt::print("HTTP status {}, {} octets in {} us\n", taker.status(), taker.size(), microseconds);
    else if (taker.status() < 200 || taker.status() > 299) fmt::print(stderr, "the digest is that of a page with HTTP status {}\n", taker.status());
    fmt::print("{}\n", checkers::to_string(taker.digest()));
    return 0;
}

}  // namespace

void add_digest(CLI::App& app, Run& run) {
    CLI::App* command = app.add_subcommand("digest", "Fetch a page and print the MD5 that 'digest' in a url block wants (genhash)");
    auto options = std::make_shared<Options>();
    command->add_option("-s,--server", options->server, "IP address of the server")->required();
    command->add_option("-p,--port", options->port, "its port; 80, or 443 with -S")->check(CLI::Range(1, 65535));
    command->add_option("-u,--url", options->path, "path of the page")->capture_default_str();
    command->add_flag("-S,--use-ssl", options->uses_ssl, "by TLS");
    command->add_flag("-I,--use-sni", options->uses_sni, "say in the TLS handshake which virtual host is meant");
    command->add_option("-V,--use-virtualhost,--virtualhost", options->virtual_host, "Host field; the address and the port without it");
    command->add_option("-P,--protocol", options->protocol, "version of HTTP: 1.0, 1.0c (with 'Connection: close'), 1.1, 2")
        ->check(CLI::IsMember({"1.0", "1.0c", "1.1", "2"}, CLI::ignore_case))
        ->capture_default_str();
    command->add_option("-t,--timeout", options->timeout, "seconds for each step, four times that for the whole")->check(CLI::Range(0.001, 86400.0))->capture_default_str();
    command->add_option("-m,--fwmark", options->mark, "firewall mark of the connection");
    command->add_flag("-v,--verbose", options->is_verbose, "also status, size and time");
    command->callback([options, &run] { run = [options] { return print_digest(*options); }; });
}

}  // namespace vigil::cli
