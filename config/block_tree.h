#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "config/keywords.h"
#include "config/preprocessor.h"
#include "config/source.h"
#include "config/words.h"

namespace vigil::config {

/// A keyword with its words, or a data line of a list block (then `keyword` is nullptr).
struct Statement {
    const Keyword* keyword = nullptr;
    std::uint32_t line = 0;        ///< in BlockTree::lines
    std::uint32_t first_word = 0;  ///< in BlockTree::words
    std::uint32_t word_count = 0;
    std::uint32_t end = 0;         ///< index behind the last statement of its block; own index + 1 without one
    std::string_view text;         ///< all its words as written
    bool is_deaf = false;          ///< something about it was reported already: not to be acted on
};

/// One root level block (or plain keyword) with all that is in it, in file order: the children of statement i begin at
/// i + 1, the next sibling of a child is child.end. Vectors are reused for each root block, so a file with 65,280
/// instances needs the memory of one.
struct BlockTree {
    std::vector<Line> lines;
    std::vector<Word> words;
    std::vector<Statement> statements;

    std::span<const Word> words_of(const Statement& statement) const {
        return std::span<const Word>(words).subspan(statement.first_word, statement.word_count);
    }
    const Line& line_of(const Statement& statement) const { return lines[statement.line]; }
    void clear() {
        lines.clear();
        words.clear();
        statements.clear();
    }
};

class BlockSink {
public:
    virtual ~BlockSink() = default;
    /// A finished root level statement: statements[0] of the tree.
    virtual void on_block(const BlockTree& tree) = 0;
};

/// Lines to blocks. Any brace style: text behind a brace is a statement of its own.
class BlockParser final : public LineSink {
public:
    BlockParser(Reporter& reporter, BlockSink& sink);

    void on_line(const Line& line) override;
    /// After the last line: hands on what is open, and says what is missing.
    void finish();

private:
    struct Frame {
        BlockId block = BlockId::root;
        std::uint32_t statement = 0;  ///< that opened it
        bool is_stray = false;        ///< a '{' behind nothing: its contents belong to the block around it
    };
    enum class Pending : std::uint8_t { none, known, unknown };

    std::size_t find_quote(std::string_view text, std::size_t at) const;
    std::size_t scan_word(std::string_view text, std::size_t at);
    void end_statement(std::string_view text);
    void add_statement(std::string_view text);
    void remove_pending();
    void on_open(std::string_view brace);
    void on_close(std::string_view brace);
    void open_block(BlockId child);
    void close_block();
    void settle_pending(std::string_view next);
    void settle_missing_brace(std::string_view next);
    bool recover_missing_close();
    void close_unclosed(std::size_t level);
    void skip_block(std::string_view brace);
    void on_skipped_open();
    void report_unknown(std::string_view consequence);
    void deliver();
    BlockId current() const { return frames_.empty() ? BlockId::root : frames_.back().block; }
    Statement& pending() { return tree_.statements.back(); }
    std::string_view pending_word() { return tree_.words[pending().first_word].view(); }
    const Line& pending_line() { return tree_.lines[pending().line]; }

    Reporter& reporter_;
    BlockSink& sink_;
    BlockTree tree_;
    Line line_;                        ///< being read
    std::uint32_t line_index_ = none_yet;  ///< of line_ in tree_.lines
    std::vector<Word> words_;          ///< of the statement being read
    std::vector<Frame> frames_;
    Pending pending_ = Pending::none;  ///< the last statement may still be followed by '{'
    unsigned skipped_depth_ = 0;       ///< braces open inside a block that is skipped
    Line skipped_line_;                ///< where that block begins
    std::string_view skipped_brace_;
    std::vector<Word> skipped_words_;  ///< the last statement inside it
    std::string_view skipped_text_;

    static constexpr std::uint32_t none_yet = 0xffffffff;
};

}  // namespace vigil::config
