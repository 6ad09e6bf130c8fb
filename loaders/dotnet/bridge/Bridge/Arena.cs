using System;
using System.Runtime.InteropServices;

namespace Polyplug.Bridge
{
    /// <summary>The memory of one call, laid out as the ABI's <c>CallArena</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct Arena
    {
        private byte* current;
        private byte* end;
        private IntPtr grow;
        private IntPtr context;

        /// <summary>Returns memory that lives until the call has ended.</summary>
        internal static byte* Allocate(Arena* arena, long size, int align)
        {
            if (size == 0)
            {
                return (byte*)align;
            }
            if (arena != null && arena->current != null)
            {
                ulong start = ((ulong)arena->current + (ulong)align - 1) & ~((ulong)align - 1);
                ulong limit = (ulong)arena->end;
                if (start <= limit && (ulong)size <= limit - start)
                {
                    arena->current = (byte*)(start + (ulong)size);
                    return (byte*)start;
                }
            }
            byte* grown = arena == null ? null : HostFunctions.Grow(arena, (IntPtr)size, (IntPtr)align);
            return grown != null ? grown : throw new ValueException("there is no memory for a value of " + size + " bytes");
        }

        /// <summary>Gives back the last bytes of what was allocated last.</summary>
        internal static void GiveBack(Arena* arena, byte* end, int count)
        {
            if (count > 0 && arena->current == end)
            {
                arena->current -= count;
            }
        }
    }

    /// <summary>What the conversion of a call's values needs.</summary>
    internal unsafe struct Scope
    {
        /// <summary>The stage of a call whose method runs.</summary>
        internal const int Running = -1;

        /// <summary>The stage of a call whose result is lowered.</summary>
        internal const int Lowering = -2;

        /// <summary>The number of levels that values may have.</summary>
        private const int MaxDepth = 128;

        /// <summary>The memory for lowered values.</summary>
        internal Arena* Arena;

        /// <summary>The frame of a call that this code makes, or zero for a call of this code.</summary>
        internal IntPtr Frame;

        /// <summary>The number of lists, maps and boxes around the value.</summary>
        internal int Depth;

        /// <summary>The number of the argument that is converted, or another stage of the call.</summary>
        internal int Stage;

        /// <summary>Enters a list, map or box.</summary>
        internal static void Enter(Scope* scope)
        {
            if (++scope->Depth > MaxDepth)
            {
                throw ValueException.TooDeep(MaxDepth);
            }
        }
    }
}
