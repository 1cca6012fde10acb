#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "ipvs/checkers/check_run.h"
#include "ipvs/checkers/resources.h"

namespace vigil::checkers {

using TlsStream = asio::ssl::stream<asio::ip::tcp::socket>;

/// Tells `stream`, before its handshake, which server it must be: SNI and what is verified.
void expect_server(TlsStream& stream, const TlsSpec& tls, const CommonSpec& common, const UrlSpec& url);

/// nullopt: the handshake is done, with "h2" agreed on when `http_2`. The limit of the step is connect_timeout.
asio::awaitable<std::optional<Verdict>> shake_hands(CheckRun& run, TlsStream& stream, const CommonSpec& common, bool http_2);

/// Says goodbye and waits for the server's, within the limits of the run. That it may not answer is not held against it.
asio::awaitable<void> end_tls(CheckRun& run, TlsStream& stream, const CommonSpec& common);

}  // namespace vigil::checkers
