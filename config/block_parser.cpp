/// From lines to a tree, one root level block at a time.
///
/// A statement is known to open a block only when the next brace or word is seen, since the brace may stand on the next line. So the
/// last statement is "pending" until then, and settle_pending() decides.
///
/// Where keepalived loses its place, this parser tries to keep it, because a misread block is worse than a refused one:
///  * an unknown block is skipped as a whole, not line by line;
///  * a block keyword without '{' is opened all the same when the next line fits into it;
///  * a keyword that only an outer block knows, followed by '{', shows that a '}' is missing: the inner blocks are closed;
///  * a '{' behind nothing is paired with its '}', so that this one does not close the block around it.
/// Each is an error with a place. `${NAME}` without a definition has been reported before: it is kept in one word here, and its keyword
/// is not acted on, because what it was meant to say is not known.

#include <algorithm>
#include <utility>

#include "config/block_tree.h"
#include "config/words.h"

namespace vigil::config {

namespace {

constexpr std::size_t deepest_nesting = 64;

bool is_block_keyword(const Keyword* keyword) { return keyword != nullptr && keyword->child != BlockId::none; }

}  // namespace

BlockParser::BlockParser(Reporter& reporter, BlockSink& sink) : reporter_(reporter), sink_(sink) {}

void BlockParser::on_line(const Line& line) {
    line_ = line;
    line_index_ = none_yet;
    const std::string_view text = line.text;
    std::size_t start = 0;  // of the statement
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at];
        if (is_blank(c)) {
            ++at;
        } else if (c == '{' || c == '}') {
            end_statement(text.substr(start, at - start));
            if (c == '{') on_open(text.substr(at, 1));
            else on_close(text.substr(at, 1));
            start = ++at;
        } else {
            at = scan_word(text, at);
        }
    }
    end_statement(text.substr(start));
}

/// The quote that ends what begins at `at`. In commands those behind a backslash do not.
std::size_t BlockParser::find_quote(std::string_view text, std::size_t at) const {
    const Keyword* keyword = words_.empty() || is_list(current()) ? nullptr : find_keyword(current(), words_.front().view());
    const bool has_escapes = keyword != nullptr && (keyword->argument.kind == ArgumentKind::command || keyword->argument.kind == ArgumentKind::optional_command);
    for (; at < text.size() && text[at] != '"'; ++at) at += has_escapes && text[at] == '\\' ? 1u : 0u;
    return at < text.size() ? at : std::string_view::npos;
}

/// Reads the word at `at` and returns the offset behind it.
std::size_t BlockParser::scan_word(std::string_view text, std::size_t at) {
    const auto add = [this](std::string_view word, bool quoted) {
        words_.push_back({word.data(), static_cast<std::uint32_t>(word.size()), quoted});
    };
    if (text[at] == '"') {
        const std::size_t end = find_quote(text, at + 1);
        if (end != std::string_view::npos) {
            add(text.substr(at + 1, end - at - 1), true);
            return end + 1;
        }
        reporter_.warning(line_, text.substr(at), "the closing '\"' is missing: the text up to the end of the line is taken");
        add(text.substr(at + 1), true);
        return text.size();
    }
    std::size_t end = at;
    while (end < text.size() && !is_blank(text[end]) && text[end] != '"' && text[end] != '{' && text[end] != '}') {
        const bool is_reference = text[end] == '$' && end + 1 < text.size() && text[end + 1] == '{';
        const std::size_t close = is_reference ? text.find('}', end) : std::string_view::npos;
        end = close == std::string_view::npos ? end + 1 : close + 1;
    }
    add(text.substr(at, end - at), false);
    return end;
}

void BlockParser::end_statement(std::string_view text) {
    if (words_.empty()) return;
    if (skipped_depth_ != 0) {
        skipped_words_.swap(words_);
        skipped_text_ = text;
    } else {
        if (pending_ != Pending::none) settle_pending(words_.front().view());
        add_statement(text);
    }
    words_.clear();
}

/// Makes words_ the last statement of the tree.
void BlockParser::add_statement(std::string_view text) {
    if (line_index_ == none_yet) {
        line_index_ = static_cast<std::uint32_t>(tree_.lines.size());
        tree_.lines.push_back(line_);
    }
    Statement statement;
    statement.line = line_index_;
    statement.first_word = static_cast<std::uint32_t>(tree_.words.size());
    statement.word_count = static_cast<std::uint32_t>(words_.size());
    statement.text = trim(text);
    const bool is_item = is_list(current());
    if (!is_item) statement.keyword = find_keyword(current(), words_.front().view());
    const bool has_unresolved = std::any_of(words_.begin(), words_.end(), [](const Word& word) {
        return !word.quoted && word.view().find("${") != std::string_view::npos;
    });
    statement.is_deaf = has_unresolved && !is_block_keyword(statement.keyword);
    tree_.words.insert(tree_.words.end(), words_.begin(), words_.end());
    tree_.statements.push_back(statement);
    pending().end = static_cast<std::uint32_t>(tree_.statements.size());
    pending_ = is_item || statement.keyword != nullptr ? Pending::known : Pending::unknown;
}

void BlockParser::remove_pending() {
    tree_.words.resize(pending().first_word);
    tree_.statements.pop_back();
    pending_ = Pending::none;
    if (frames_.empty() && tree_.statements.empty()) {
        tree_.clear();
        line_index_ = none_yet;
    }
}

/// The next thing is not a '{' but the word `next`, or a '}' or the end (`next` is empty).
void BlockParser::settle_pending(std::string_view next) {
    if (pending_ == Pending::none) return;
    if (pending_ == Pending::unknown) {
        report_unknown({});
        remove_pending();
        return;
    }
    pending_ = Pending::none;
    if (is_block_keyword(pending().keyword)) settle_missing_brace(next);
    else if (frames_.empty()) deliver();
}

void BlockParser::settle_missing_brace(std::string_view next) {
    const BlockId child = pending().keyword->child;
    const std::string word(pending_word());
    bool fits = !next.empty();
    if (is_list(child)) fits = fits && find_keyword(current(), next) == nullptr;
    else fits = fits && find_keyword(child, next) != nullptr;
    if (fits) {
        reporter_.error(pending_line(), pending_word(), "'{' is missing after " + in_quotes(word),
                        "the lines that follow are taken as its contents");
        open_block(child);
        return;
    }
    reporter_.error(pending_line(), pending_word(), in_quotes(word) + " is a block, '{' is missing: ignored",
                    "write " + word + " { ... }");
    pending().is_deaf = true;
    if (frames_.empty()) deliver();
}

void BlockParser::on_open(std::string_view brace) {
    if (skipped_depth_ != 0) return on_skipped_open();
    if (frames_.size() >= deepest_nesting) return skip_block(brace);
    if (pending_ == Pending::none) {
        reporter_.error(line_, brace, "unexpected '{': no keyword stands before it", "its contents are read as if it were not there");
        frames_.push_back({current(), 0, true});
        return;
    }
    const bool may_be_misplaced = pending_ == Pending::unknown || pending().keyword == nullptr;
    if (may_be_misplaced && recover_missing_close()) return;
    if (!is_block_keyword(pending().keyword)) return skip_block(brace);
    open_block(pending().keyword->child);
}

void BlockParser::open_block(BlockId child) {
    pending_ = Pending::none;
    frames_.push_back({child, static_cast<std::uint32_t>(tree_.statements.size() - 1), false});
}

void BlockParser::on_close(std::string_view brace) {
    skipped_words_.clear();
    if (skipped_depth_ != 0) {
        --skipped_depth_;
        return;
    }
    settle_pending({});
    if (!frames_.empty()) return close_block();
    reporter_.error(line_, brace, "unexpected '}': no block is open here", "look for a '}' too many above");
}

void BlockParser::close_block() {
    const Frame frame = frames_.back();
    frames_.pop_back();
    if (!frame.is_stray) tree_.statements[frame.statement].end = static_cast<std::uint32_t>(tree_.statements.size());
    if (frames_.empty() && !tree_.statements.empty()) deliver();
}

/// The pending statement opens a block that only a block further out knows: the inner ones lack their '}'.
bool BlockParser::recover_missing_close() {
    const std::string_view word = pending_word();
    std::size_t level = frames_.size();
    bool is_found = false;
    while (level > 0 && !is_found) {
        --level;
        const BlockId outer = level == 0 ? BlockId::root : frames_[level - 1].block;
        is_found = is_block_keyword(find_keyword(outer, word));
    }
    if (!is_found) return false;
    const Statement statement = pending();
    const Line line = pending_line();
    words_.assign(tree_.words.begin() + statement.first_word, tree_.words.end());
    remove_pending();
    const Line next_line = std::exchange(line_, line);
    close_unclosed(level);
    line_index_ = none_yet;
    add_statement(statement.text);
    words_.clear();
    line_ = next_line;
    if (line.where != line_.where) line_index_ = none_yet;
    open_block(pending().keyword->child);
    return true;
}

/// Closes blocks until `level` are open, and says that each lacks its '}'. The keyword that shows it is words_[0] of line_.
void BlockParser::close_unclosed(std::size_t level) {
    const Frame frame = frames_[level];
    if (!frame.is_stray) {
        const Statement& opener = tree_.statements[frame.statement];
        reporter_.error(line_, words_.front().view(),
                        "'}' is missing before " + in_quotes(words_.front().view()) + ": " +
                            in_quotes(tree_.words[opener.first_word].view()) + " of line " +
                            std::to_string(tree_.line_of(opener).where.line) + " is still open",
                        "it is closed here");
    }
    while (frames_.size() > level) close_block();
}

void BlockParser::skip_block(std::string_view brace) {
    skipped_depth_ = 1;
    skipped_line_ = line_;
    skipped_brace_ = brace;
    skipped_words_.clear();
    if (pending_ == Pending::unknown) {
        report_unknown(", its block is skipped");
        remove_pending();
        return;
    }
    if (frames_.size() >= deepest_nesting) {
        reporter_.error(line_, brace, "blocks are nested too deeply: this one is skipped");
    } else if (is_list(current())) {
        reporter_.error(line_, brace, "an entry of " + std::string(name_of(current())) + " has no block: it is skipped");
    } else {
        reporter_.error(line_, brace, in_quotes(pending_word()) + " takes no block: it is skipped");
    }
    pending_ = Pending::none;
    if (frames_.empty()) deliver();
}

/// Inside a skipped block only its end is looked for, and the keywords that can but stand at root level.
void BlockParser::on_skipped_open() {
    ++skipped_depth_;
    if (skipped_words_.empty()) return;
    static constexpr std::string_view landmarks[] = {"global_defs",     "vrrp_instance",  "vrrp_script",
                                                     "vrrp_sync_group", "virtual_server", "virtual_server_group"};
    const std::string_view word = skipped_words_.front().view();
    if (std::find(std::begin(landmarks), std::end(landmarks), word) == std::end(landmarks)) {
        skipped_words_.clear();
        return;
    }
    skipped_depth_ = 0;
    reporter_.error(
        skipped_line_, skipped_brace_,
        "the skipped block has no '}': it ends before " + in_quotes(word) + " of line " + std::to_string(line_.where.line));
    words_.swap(skipped_words_);
    skipped_words_.clear();
    if (!frames_.empty()) close_unclosed(0);
    add_statement(skipped_text_);
    words_.clear();
    open_block(pending().keyword->child);
}

void BlockParser::report_unknown(std::string_view consequence) {
    const std::string_view word = pending_word();
    std::string help = reporter_.may_suggest() ? suggest_keyword(current(), word) : std::string{};
    const std::string where = current() == BlockId::root ? " at the root level" : " in " + std::string(name_of(current()));
    reporter_.error(pending_line(), word, "unknown keyword " + in_quotes(word) + where + std::string(consequence), std::move(help));
}

void BlockParser::deliver() {
    sink_.on_block(tree_);
    tree_.clear();
    line_index_ = none_yet;
}

void BlockParser::finish() {
    settle_pending({});
    if (skipped_depth_ != 0) reporter_.error(skipped_line_, skipped_brace_, "the '}' of this block is missing");
    while (!frames_.empty()) {
        const Frame frame = frames_.back();
        if (!frame.is_stray) {
            const Statement& opener = tree_.statements[frame.statement];
            reporter_.error(tree_.line_of(opener), tree_.words[opener.first_word].view(),
                            "the '}' of " + in_quotes(tree_.words[opener.first_word].view()) + " is missing at the end of the file",
                            "write it where the block ends; without it everything below belongs to the block");
        }
        close_block();
    }
}

}  // namespace vigil::config
