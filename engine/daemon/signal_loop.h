#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <functional>
#include <utility>

namespace vigil::daemon {

/// Hands each signal of `signals` to `on_signal`, one by one, until `io` is stopped. All of them outlive it.
inline void listen_to_signals(boost::asio::io_context& io, boost::asio::signal_set& signals, std::function<void(int)> on_signal) {
    signals.async_wait([&io, &signals, on_signal = std::move(on_signal)](const boost::system::error_code& error, int number) mutable {
        if (error) return;
        on_signal(number);
        if (!io.stopped()) listen_to_signals(io, signals, std::move(on_signal));
    });
}

}  // namespace vigil::daemon
