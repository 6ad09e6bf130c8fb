using System;
using System.Buffers;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;

namespace Polyplug.Bridge
{
    /// <summary>Pointer and length: the form of texts, bytes, lists and maps in canonical memory.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct RawList
    {
        internal byte* Start;
        internal UIntPtr Count;

        /// <summary>Returns the number of elements, after every check that can be made without reading them.</summary>
        internal static int Check(byte* at, int size, int align)
        {
            var list = (RawList*)at;
            ulong count = (ulong)list->Count;
            if (count == 0)
            {
                return 0;
            }
            if (list->Start == null || (ulong)list->Start % (ulong)align != 0)
            {
                throw ValueException.Pointer("list");
            }
            if (count > int.MaxValue || count > (ulong)long.MaxValue / (ulong)Math.Max(size, 1))
            {
                throw new ValueException("a list of " + count + " elements cannot exist in .NET");
            }
            return (int)count;
        }

        internal static void Set(byte* at, byte* start, long count)
        {
            ((RawList*)at)->Start = start;
            ((RawList*)at)->Count = (UIntPtr)(ulong)count;
        }
    }

    internal sealed unsafe class TextMarshaller : Marshaller<string>
    {
        /// <summary>The length in characters up to which room for the longest form is taken, and what is left is given back.</summary>
        private const int Short = 1024;

        internal override string Read(byte* at, Scope* scope)
        {
            int count = RawList.Check(at, 1, 1);
            if (count == 0)
            {
                return "";
            }
            // A text has at most as many characters as bytes, and usually as many. Nobody else has the new text.
            string text = new string('\0', count);
            int written;
            fixed (char* start = text)
            {
                OperationStatus status = Utf8.ToUtf16(
                    new ReadOnlySpan<byte>(((RawList*)at)->Start, count), new Span<char>(start, count), out int _, out written,
                    false, true);
                if (status != OperationStatus.Done)
                {
                    throw new ValueException("the text is not UTF-8");
                }
            }
            return written == count ? text : text.Substring(0, written);
        }

        internal override void Write(byte* at, string value, Scope* scope)
        {
            if (value == null)
            {
                throw new ValueException("expected string, got null");
            }
            int room = value.Length <= Short ? 3 * value.Length : Encoding.UTF8.GetByteCount(value);
            byte* text = Arena.Allocate(scope->Arena, room, 1);
            OperationStatus status =
                Utf8.FromUtf16(value.AsSpan(), new Span<byte>(text, room), out int _, out int count, false, true);
            if (status != OperationStatus.Done)
            {
                throw new ValueException("expected string, got a text with half of a surrogate pair");
            }
            Arena.GiveBack(scope->Arena, text + room, room - count);
            RawList.Set(at, text, count);
        }
    }

    /// <summary>Lists that are lent for the time of a call, or returned from it, as spans.</summary>
    internal static unsafe class Spans
    {
        internal static ReadOnlySpan<T> Read<T>(byte* at, int size, int align)
        {
            int count = RawList.Check(at, size, align);
            return count == 0 ? ReadOnlySpan<T>.Empty : new ReadOnlySpan<T>(((RawList*)at)->Start, count);
        }

        internal static Span<T> ReadCopy<T>(byte* at, int size, int align)
        {
            return Read<T>(at, size, align).ToArray();
        }

        internal static void Write<T>(byte* at, ReadOnlySpan<T> value, int size, int align, Scope* scope)
        {
            byte* start = Arena.Allocate(scope->Arena, (long)value.Length * size, align);
            if (value.Length > 0)
            {
                value.CopyTo(new Span<T>(start, value.Length));
            }
            RawList.Set(at, start, value.Length);
        }

        internal static void WriteSpan<T>(byte* at, Span<T> value, int size, int align, Scope* scope)
        {
            Write<T>(at, value, size, align, scope);
        }
    }

    /// <summary>Moves lists whose elements are <typeparamref name="T"/>, as collections of type <typeparamref name="C"/>.</summary>
    internal abstract unsafe class ListMarshaller<C, T> : Marshaller<C>
    {
        /// <summary>What moves an element, or null if the elements need no check and are copied as a whole.</summary>
        protected Marshaller<T> item;
        protected Node node;
        protected int size;
        protected int align;

        private bool IsPlain
        {
            get { return item == null; }
        }

        internal override void Resolve(Marshallers all, Node of, Use use)
        {
            node = of;
            if (of.Kind == NodeKind.Bytes)
            {
                size = align = 1;
                return;
            }
            size = of.Of.Size;
            align = of.Of.Align;
            if (!Scalars.IsPlain(of.Of))
            {
                item = (Marshaller<T>)all.Find(of.Of, typeof(T), use);
            }
        }

        /// <summary>Makes the collection of an array, which is not used otherwise.</summary>
        protected abstract C Make(T[] items);

        /// <summary>Returns the elements of a collection.</summary>
        protected abstract ReadOnlyMemory<T> Items(C collection);

        internal override C Read(byte* at, Scope* scope)
        {
            int count = RawList.Check(at, size, align);
            Scope.Enter(scope);
            if (count == 0)
            {
                scope->Depth--;
                return Make(Array.Empty<T>());
            }
            byte* start = ((RawList*)at)->Start;
            T[] items = new T[count];
            if (IsPlain)
            {
                new ReadOnlySpan<T>(start, count).CopyTo(items);
            }
            else
            {
                int i = 0;
                try
                {
                    for (; i < items.Length; i++)
                    {
                        items[i] = item.Read(start, scope);
                        start += size;
                    }
                }
                catch (ValueException wrong) when (wrong.PassesThrough(i))
                {
                    throw;
                }
            }
            scope->Depth--;
            return Make(items);
        }

        internal override void Write(byte* at, C value, Scope* scope)
        {
            if (value == null)
            {
                throw ValueException.Null(node);
            }
            ReadOnlySpan<T> items = Items(value).Span;
            Scope.Enter(scope);
            byte* start = Arena.Allocate(scope->Arena, (long)items.Length * size, align);
            RawList.Set(at, start, items.Length);
            if (IsPlain)
            {
                if (items.Length > 0)
                {
                    items.CopyTo(new Span<T>(start, items.Length));
                }
            }
            else
            {
                int i = 0;
                try
                {
                    for (; i < items.Length; i++)
                    {
                        item.Write(start, items[i], scope);
                        start += size;
                    }
                }
                catch (ValueException wrong) when (wrong.PassesThrough(i))
                {
                    throw;
                }
            }
            scope->Depth--;
        }
    }

    internal sealed class ArrayMarshaller<T> : ListMarshaller<T[], T>
    {
        protected override T[] Make(T[] items)
        {
            return items;
        }

        protected override ReadOnlyMemory<T> Items(T[] collection)
        {
            return collection;
        }
    }

    /// <summary>Moves lists as <see cref="List{T}"/>, without an array between where the elements are moved one by one.</summary>
    internal sealed unsafe class ListOfMarshaller<T> : ListMarshaller<List<T>, T>
    {
        protected override List<T> Make(T[] items)
        {
            return new List<T>(items);
        }

        protected override ReadOnlyMemory<T> Items(List<T> collection)
        {
            return collection.ToArray();
        }

        internal override List<T> Read(byte* at, Scope* scope)
        {
            if (item == null)
            {
                return base.Read(at, scope);
            }
            int count = RawList.Check(at, size, align);
            Scope.Enter(scope);
            var list = new List<T>(count);
            byte* start = ((RawList*)at)->Start;
            int i = 0;
            try
            {
                for (; i < count; i++)
                {
                    list.Add(item.Read(start, scope));
                    start += size;
                }
            }
            catch (ValueException wrong) when (wrong.PassesThrough(i))
            {
                throw;
            }
            scope->Depth--;
            return list;
        }

        internal override void Write(byte* at, List<T> value, Scope* scope)
        {
            if (item == null || value == null)
            {
                base.Write(at, value, scope);
                return;
            }
            Scope.Enter(scope);
            int count = value.Count;
            byte* start = Arena.Allocate(scope->Arena, (long)count * size, align);
            RawList.Set(at, start, count);
            int i = 0;
            try
            {
                for (; i < count; i++)
                {
                    item.Write(start, value[i], scope);
                    start += size;
                }
            }
            catch (ValueException wrong) when (wrong.PassesThrough(i))
            {
                throw;
            }
            scope->Depth--;
        }
    }

    internal sealed class MemoryMarshaller<T> : ListMarshaller<Memory<T>, T>
    {
        protected override Memory<T> Make(T[] items)
        {
            return items;
        }

        protected override ReadOnlyMemory<T> Items(Memory<T> collection)
        {
            return collection;
        }
    }

    internal sealed class ReadOnlyMemoryMarshaller<T> : ListMarshaller<ReadOnlyMemory<T>, T>
    {
        protected override ReadOnlyMemory<T> Make(T[] items)
        {
            return items;
        }

        protected override ReadOnlyMemory<T> Items(ReadOnlyMemory<T> collection)
        {
            return collection;
        }
    }

    /// <summary>Moves lists as an interface of collections.</summary>
    internal sealed class CollectionMarshaller<C, T> : ListMarshaller<C, T> where C : class, IEnumerable<T>
    {
        protected override C Make(T[] items)
        {
            // Collections that may be changed are lists; an array does as one that is only read.
            object made = typeof(C) == typeof(IList<T>) || typeof(C) == typeof(ICollection<T>)
                ? (object)new List<T>(items) : items;
            return (C)made;
        }

        protected override ReadOnlyMemory<T> Items(C collection)
        {
            object any = collection;
            return any as T[] ?? collection.ToArray();
        }
    }
}
