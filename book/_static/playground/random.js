// Random numbers that come out the same everywhere: the generator xoshiro128** of D. Blackman and
// S. Vigna (2021, doi:10.1145/3460772), started by the mixing function of MurmurHash3.
// Each part of the engine is a function of the object `playground`, so that one text serves a page
// opened from a file, a Worker, and Node.
"use strict";
((part) => {
  const playground = (globalThis.playground ??= { parts: [] });
  playground.parts.push(part);
  part(playground);
})((playground) => {
  const GOLDEN = 0x9e3779b9; // 2³² divided by the golden ratio

  // Scramble 32 bits: neighbouring numbers come out unrelated.
  const mix = (bits) => {
    bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    return (bits ^ (bits >>> 16)) >>> 0;
  };

  class Random {
    // One seed gives many streams that know nothing of one another.
    constructor(seed, stream = 0) {
      const key = mix(seed) + stream;
      this.state = Uint32Array.from([1, 2, 3, 4], (k) => mix(key + k * GOLDEN));
    }

    // 32 random bits as a whole number.
    bits() {
      const s = this.state;
      const turned = Math.imul(s[1], 5);
      const answer = Math.imul((turned << 7) | (turned >>> 25), 9) >>> 0;
      const shifted = s[1] << 9;
      s[2] ^= s[0];
      s[3] ^= s[1];
      s[1] ^= s[2];
      s[0] ^= s[3];
      s[2] ^= shifted;
      s[3] = (s[3] << 11) | (s[3] >>> 21);
      return answer;
    }

    uniform(low = 0, high = 1) {
      return low + (high - low) * (this.bits() / 2 ** 32);
    }

    // A whole number from 0 to n − 1.
    below(n) {
      return Math.floor((this.bits() / 2 ** 32) * n);
    }

    // Box and Muller (1958): two uniform numbers make a normal one.
    normal(mean = 0, deviation = 1) {
      const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
      return mean + deviation * radius * Math.cos(2 * Math.PI * this.uniform());
    }

    // Fisher and Yates: every order is equally likely.
    shuffle(list) {
      for (let i = list.length - 1; i > 0; i--) {
        const j = this.below(i + 1);
        [list[i], list[j]] = [list[j], list[i]];
      }
      return list;
    }
  }

  Object.assign(playground, { GOLDEN, mix, Random });
});
