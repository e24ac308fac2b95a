import { computed, onBeforeUnmount, onMounted, ref, type ComputedRef } from 'vue'

const share = 40 // parts a frame, each of a handful of elements: more than a window shows

/** Parts of something large: some at once, the others frame by frame, so that what somebody does is never kept waiting. */
export function useGradually<Part>(all: () => readonly Part[]): ComputedRef<readonly Part[]> {
  const drawn = ref(share)
  let frame = 0
  function more() {
    drawn.value += share
    // Once all are there, those that come later are drawn at once.
    if (drawn.value >= all().length) drawn.value = Infinity
    else frame = requestAnimationFrame(more)
  }
  // The first frame belongs to what is there already.
  onMounted(() => (frame = requestAnimationFrame(() => (frame = requestAnimationFrame(more)))))
  onBeforeUnmount(() => cancelAnimationFrame(frame))
  return computed(() => all().slice(0, drawn.value))
}
