#pragma once

#include <linux/filter.h>

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace vigil::io {

/// Writes a classic BPF program, instruction by instruction, with labels for its jumps. The machine has an accumulator, an index register and
/// sixteen words of memory; it jumps forward only, conditionally at most 255 instructions.
class FilterAssembler {
public:
    using Label = std::size_t;
    static constexpr Label next = ~Label{0};   ///< the instruction behind the jump

    Label make_label() {
        positions_.push_back(0);
        return positions_.size() - 1;
    }
    /// The label means the next instruction written.
    void place(Label label) { positions_[label] = program_.size(); }

    // The accumulator, from the frame.
    void load_byte(std::uint32_t offset) { add(BPF_LD | BPF_B | BPF_ABS, offset); }
    void load_half(std::uint32_t offset) { add(BPF_LD | BPF_H | BPF_ABS, offset); }
    void load_byte_at_index(std::uint32_t offset) { add(BPF_LD | BPF_B | BPF_IND, offset); }
    void load_half_at_index(std::uint32_t offset) { add(BPF_LD | BPF_H | BPF_IND, offset); }
    void load_length() { add(BPF_LD | BPF_W | BPF_LEN, 0); }
    void load_metadata(int item) { add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(SKF_AD_OFF + item)); }
    // The accumulator otherwise.
    void load_constant(std::uint32_t value) { add(BPF_LD | BPF_W | BPF_IMM, value); }
    void save(std::uint32_t word) { add(BPF_ST, word); }
    void restore(std::uint32_t word) { add(BPF_LD | BPF_W | BPF_MEM, word); }
    void mask(std::uint32_t bits) { add(BPF_ALU | BPF_AND | BPF_K, bits); }
    void shift_right(std::uint32_t bits) { add(BPF_ALU | BPF_RSH | BPF_K, bits); }
    void shift_right_by_index() { add(BPF_ALU | BPF_RSH | BPF_X, 0); }
    // The index.
    /// The length of the IPv4 header of an Ethernet frame, as it says of itself.
    void index_of_ip_header_end() { add(BPF_LDX | BPF_B | BPF_MSH, 14); }
    void move_to_index() { add(BPF_MISC | BPF_TAX, 0); }
    void save_index(std::uint32_t word) { add(BPF_STX, word); }
    void restore_index(std::uint32_t word) { add(BPF_LDX | BPF_W | BPF_MEM, word); }
    /// Overwrites the accumulator.
    void add_to_index(std::uint32_t value) {
        add(BPF_MISC | BPF_TXA, 0);
        add(BPF_ALU | BPF_ADD | BPF_K, value);
        move_to_index();
    }
    // Jumps.
    void if_equal(std::uint32_t value, Label yes, Label no = next) { jump_if(BPF_JEQ | BPF_K, value, yes, no); }
    void if_greater(std::uint32_t value, Label yes, Label no = next) { jump_if(BPF_JGT | BPF_K, value, yes, no); }
    void if_at_least(std::uint32_t value, Label yes, Label no = next) { jump_if(BPF_JGE | BPF_K, value, yes, no); }
    void if_at_least_index(Label yes, Label no = next) { jump_if(BPF_JGE | BPF_X, 0, yes, no); }
    void if_any_bit(std::uint32_t bits, Label yes, Label no = next) { jump_if(BPF_JSET | BPF_K, bits, yes, no); }
    void jump(Label to) {
        jumps_.push_back({program_.size(), to, next, true});
        add(BPF_JMP | BPF_JA, 0);
    }
    /// Ends the program: so many bytes of the frame pass, 0 for none.
    void keep(std::uint32_t bytes) { add(BPF_RET | BPF_K, bytes); }

    std::vector<sock_filter> finish() {
        for (const Jump& jump : jumps_) {
            sock_filter& instruction = program_[jump.at];
            if (jump.is_unconditional) {
                instruction.k = static_cast<std::uint32_t>(distance(jump.at, jump.yes));
            } else {
                instruction.jt = short_distance(jump.at, jump.yes);
                instruction.jf = short_distance(jump.at, jump.no);
            }
        }
        return std::move(program_);
    }

private:
    struct Jump {
        std::size_t at;
        Label yes;
        Label no;
        bool is_unconditional;
    };
    void add(int code, std::uint32_t k) { program_.push_back({static_cast<std::uint16_t>(code), 0, 0, k}); }
    void jump_if(int condition, std::uint32_t k, Label yes, Label no) {
        jumps_.push_back({program_.size(), yes, no, false});
        add(BPF_JMP | condition, k);
    }
    std::size_t distance(std::size_t from, Label to) const {
        if (to == next) return 0;
        assert(positions_[to] > from);
        return positions_[to] - from - 1;
    }
    std::uint8_t short_distance(std::size_t from, Label to) const {
        const std::size_t instructions = distance(from, to);
        assert(instructions <= 255);
        return static_cast<std::uint8_t>(instructions);
    }

    std::vector<sock_filter> program_;
    std::vector<Jump> jumps_;
    std::vector<std::size_t> positions_;
};

}  // namespace vigil::io
