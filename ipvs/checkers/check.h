#pragma once

#include "ipvs/checkers/check_run.h"
#include "ipvs/checkers/resources.h"
#include "ipvs/checkers/script_table.h"

namespace vigil::checkers {

/// Makes one check, of any method but ExternalSpec. Never blocks. Ends, at the latest, most_timeouts connect_timeouts after it began (for each URL of HTTP_GET;
/// MISC_CHECK: four seconds after its timeout), and at once when `run` is cancelled; then its verdict means nothing. `spec` is kept alive by the
/// coroutine, `resources` and `scripts` must live until it has ended. The verdict has its duration.
asio::awaitable<Verdict> check(CheckRunPtr run, Resources& resources, ScriptTable& scripts, std::shared_ptr<const CheckSpec> spec);

/// The methods, without the duration.
asio::awaitable<Verdict> check_tcp(CheckRun& run, const CommonSpec& common);
asio::awaitable<Verdict> check_smtp(CheckRun& run, const CommonSpec& common, const SmtpSpec& smtp);
asio::awaitable<Verdict> check_dns(CheckRun& run, Resources& resources, const CommonSpec& common, const DnsSpec& dns);
asio::awaitable<Verdict> check_udp(CheckRun& run, const CommonSpec& common, const UdpSpec& udp);
asio::awaitable<Verdict> check_ping(CheckRun& run, Resources& resources, const CommonSpec& common);
asio::awaitable<Verdict> check_misc(CheckRun& run, ScriptTable& scripts, const MiscSpec& misc);

}  // namespace vigil::checkers
