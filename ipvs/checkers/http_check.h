#pragma once

#include "ipvs/checkers/check_run.h"
#include "ipvs/checkers/http_reader.h"
#include "ipvs/checkers/resources.h"

namespace vigil::checkers {

/// GETs one URL. nullopt: the answer was read, to its end or until `listener` had heard enough. Otherwise why not. Each step is bounded by
/// connect_timeout, all of them by most_timeouts of it. The references must live as long.
asio::awaitable<std::optional<Verdict>> fetch(CheckRun& run, Resources& resources, const CommonSpec& common, const HttpSpec& http, const UrlSpec& url,
                                              HttpListener& listener);

/// HTTP_GET and SSL_GET.
asio::awaitable<Verdict> check_http(CheckRun& run, Resources& resources, const CommonSpec& common, const HttpSpec& http);

}  // namespace vigil::checkers
