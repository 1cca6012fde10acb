// A URL is fetched with a connection of its own, so that each is judged as a client would meet it. All that may be slow is a step with a deadline; a server
// that drips keeps each step, so the URL as a whole has a deadline too.

#include "ipvs/checkers/http_check.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include <array>

#include <fmt/format.h>

#include "ipvs/checkers/connection.h"
#include "ipvs/checkers/http2_reader.h"
#include "ipvs/checkers/http_judge.h"
#include "ipvs/checkers/tls_session.h"

namespace vigil::checkers {
namespace {

std::string host_field(const CommonSpec& common, const UrlSpec& url) {
    return url.virtual_host.empty() ? host_and_port(common.address, common.port) : url.virtual_host;
}

Verdict verdict_of_exchange(const CheckRun& run, bool has_begun, const error_code& error) {
    return run.verdict_of(has_begun ? "the answer was not complete" : "no answer", has_begun ? "reading the answer" : "", error);
}

/// Sends the request and reads the answer, over TCP or TLS, by HTTP/1 or HTTP/2.
template <typename Stream, typename Reader>
asio::awaitable<std::optional<Verdict>> exchange(CheckRun& run, Stream& stream, const CommonSpec& common, Reader& reader, const HttpListener& listener) {
    error_code error;
    std::array<char, 8192> octets;
    bool has_begun = false;
    while (reader.state() == HttpReader::State::reading && !listener.is_settled()) {
        const std::string output = reader.take_output();
        if (reader.state() != HttpReader::State::reading) break;
        run.begin_step(common.connect_timeout);
        if (!output.empty()) co_await asio::async_write(stream, asio::buffer(output), into(error));
        if (run.has_ended()) error = asio::error::operation_aborted;
        if (error) co_return verdict_of_exchange(run, has_begun, error);
        const std::size_t size = co_await stream.async_read_some(asio::buffer(octets), into(error));
        if (run.has_ended()) error = asio::error::operation_aborted;
        if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) reader.on_end();
        else if (error) co_return verdict_of_exchange(run, has_begun, error);
        else reader.on_octets({octets.data(), size});
        error = {};
        has_begun = true;
    }
    if (reader.state() == HttpReader::State::broken && !listener.is_settled()) co_return failed(reader.error());
    co_return std::nullopt;
}

template <typename Stream>
asio::awaitable<std::optional<Verdict>> ask(CheckRun& run, Stream& stream, const CommonSpec& common, const HttpSpec& http, const UrlSpec& url,
                                            HttpListener& listener) {
    std::optional<Verdict> verdict;
    if (http.protocol == HttpProtocol::http_2) {
        Http2Reader reader(listener, url.path, host_field(common, url), http.tls ? "https" : "http");
        verdict = co_await exchange(run, stream, common, reader, listener);
    } else {
        HttpReader reader(listener, write_request(url.path, host_field(common, url), http.protocol));
        verdict = co_await exchange(run, stream, common, reader, listener);
    }
    co_return verdict;
}

asio::awaitable<std::optional<Verdict>> fetch_by_tls(CheckRun& run, Resources& resources, tcp::socket socket, const CommonSpec& common, const HttpSpec& http,
                                                     const UrlSpec& url, HttpListener& listener) {
    const auto context = resources.tls(*http.tls, http.protocol == HttpProtocol::http_2);
    if (!context) co_return failed(context.error());   // it does not pass by itself: a server that nobody can check is not good
    TlsStream stream(std::move(socket), **context);
    run.close_by([&stream] {
        error_code ignored;
        stream.next_layer().close(ignored);
    });
    CloserGuard guard(run);
    expect_server(stream, *http.tls, common, url);
    auto verdict = co_await shake_hands(run, stream, common, http.protocol == HttpProtocol::http_2);
    if (verdict) co_return verdict;
    verdict = co_await ask(run, stream, common, http, url, listener);
    if (!verdict && url.tls_compliant) co_await end_tls(run, stream, common);
    co_return verdict;
}

}  // namespace

asio::awaitable<std::optional<Verdict>> fetch(CheckRun& run, Resources& resources, const CommonSpec& common, const HttpSpec& http, const UrlSpec& url,
                                              HttpListener& listener) {
    run.begin(common.connect_timeout * most_timeouts);
    tcp::socket socket(run.executor());
    CloserGuard guard(run);
    auto verdict = co_await connect(run, common, socket);
    if (verdict) co_return verdict;
    if (http.tls) {
        verdict = co_await fetch_by_tls(run, resources, std::move(socket), common, http, url, listener);
        co_return verdict;
    }
    verdict = co_await ask(run, socket, common, http, url, listener);
    co_return verdict;
}

asio::awaitable<Verdict> check_http(CheckRun& run, Resources& resources, const CommonSpec& common, const HttpSpec& http) {
    for (const UrlSpec& url : http.urls) {
        std::shared_ptr<const Regex> regex;
        if (url.regex) {
            auto compiled = resources.regex(*url.regex);
            if (!compiled) co_return failed(fmt::format("regex: {}", compiled.error()));
            regex = *compiled;
        }
        HttpJudge judge(url, regex);
        auto verdict = co_await fetch(run, resources, common, http, url, judge);
        const std::string where = http.urls.size() > 1 ? fmt::format("{}: ", url.path) : std::string();
        if (verdict) {
            verdict->cause = where + verdict->cause;
            co_return std::move(*verdict);
        }
        if (judge.complaint()) co_return failed(where + *judge.complaint());
    }
    co_return Verdict{};
}

}  // namespace vigil::checkers
