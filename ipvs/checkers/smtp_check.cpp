#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include <array>

#include <fmt/format.h>

#include "ipvs/checkers/check.h"
#include "ipvs/checkers/connection.h"
#include "ipvs/checkers/smtp_reader.h"

namespace vigil::checkers {
namespace {

/// Reads and writes until the dialogue is over. `error` says why it ended before that.
asio::awaitable<void> talk(CheckRun& run, tcp::socket& socket, const CommonSpec& common, SmtpReader& reader, error_code& error) {
    std::array<char, 1024> octets;
    while (!reader.is_over()) {
        const std::string output = reader.take_output();
        run.begin_step(common.connect_timeout);
        if (!output.empty()) co_await asio::async_write(socket, asio::buffer(output), into(error));
        if (error) co_return;
        const std::size_t size = co_await socket.async_read_some(asio::buffer(octets), into(error));
        if (run.has_ended()) error = asio::error::operation_aborted;
        if (error && error != asio::error::eof) co_return;
        if (error == asio::error::eof) reader.on_end();
        else reader.on_octets({octets.data(), size});
        error = {};
    }
}

}  // namespace

asio::awaitable<Verdict> check_smtp(CheckRun& run, const CommonSpec& common, const SmtpSpec& smtp) {
    tcp::socket socket(run.executor());
    CloserGuard guard(run);
    run.begin(common.connect_timeout * most_timeouts);
    auto verdict = co_await connect(run, common, socket);
    if (verdict) co_return std::move(*verdict);
    SmtpReader reader(smtp.helo_name);
    error_code error;
    co_await talk(run, socket, common, reader, error);
    if (reader.is_good()) co_return Verdict{};
    if (!error) co_return failed(reader.complaint());
    co_return run.verdict_of(fmt::format("no {}", reader.awaited()), fmt::format("waiting for the {}", reader.awaited()), error);
}

}  // namespace vigil::checkers
