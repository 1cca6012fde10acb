#pragma once

#include <nettle/md5.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ipvs/checkers/check_spec.h"
#include "ipvs/checkers/http_reader.h"
#include "ipvs/checkers/regex.h"

namespace vigil::checkers {

/// Whether an HTTP answer is what a UrlSpec asks for, while it comes. Keeps nothing of the body but what a regular expression needs.
class HttpJudge : public HttpListener {
public:
    /// A body that nobody judges is read to this length, so that the server may finish its work, and then left.
    static constexpr std::uint64_t most_unjudged = 64 * 1024;
    /// A longer one fails: whoever checks every few seconds cannot have meant it.
    static constexpr std::uint64_t most_judged = 256ULL * 1024 * 1024;

    /// `regex` is that of `spec`, when it has one. `spec` must live as long.
    HttpJudge(const UrlSpec& spec, std::shared_ptr<const Regex> regex);

    void on_status(unsigned code) override;
    void on_body(std::string_view octets) override;
    void on_end() override;

    bool is_settled() const override { return is_settled_; }
    /// After on_end() or once settled: nullopt when all is well, otherwise what is not: "HTTP status 503 where 200-299 is expected".
    const std::optional<std::string>& complaint() const { return complaint_; }

private:
    void complain(std::string cause);

    const UrlSpec& spec_;
    std::optional<RegexSearch> search_;
    md5_ctx md5_{};
    std::uint64_t size_ = 0;
    bool is_settled_ = false;
    std::optional<std::string> complaint_;
};

/// 32 hexadecimal digits, of either case.
std::optional<Md5> read_md5(std::string_view text);
std::string to_string(const Md5& digest);

/// "200", "200-299, 404".
std::string to_string(const std::vector<StatusRange>& ranges);

}  // namespace vigil::checkers
