using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;

namespace Polyplug.Bridge
{
    /// <summary>Reads and writes what the loader and this assembly tell each other: little-endian numbers and lengths before texts.</summary>
    internal static unsafe class Wire
    {
        internal static BinaryReader Reader(byte* start, long count)
        {
            return new BinaryReader(new UnmanagedMemoryStream(start, count));
        }

        internal static BinaryReader Reader(byte[] bytes)
        {
            return new BinaryReader(new MemoryStream(bytes));
        }

        internal static string Text(BinaryReader reader)
        {
            return Encoding.UTF8.GetString(reader.ReadBytes(reader.ReadInt32()));
        }

        /// <summary>Reads a text that may be absent.</summary>
        internal static string OptionalText(BinaryReader reader)
        {
            return reader.ReadBoolean() ? Text(reader) : null;
        }

        internal static void Text(BinaryWriter writer, string text)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            writer.Write(bytes.Length);
            writer.Write(bytes);
        }

        internal static void OptionalText(BinaryWriter writer, string text)
        {
            writer.Write(text != null);
            if (text != null)
            {
                Text(writer, text);
            }
        }

        /// <summary>Returns the bytes that a function writes.</summary>
        internal static byte[] Bytes(Action<BinaryWriter> write)
        {
            var stream = new MemoryStream();
            var writer = new BinaryWriter(stream);
            write(writer);
            writer.Flush();
            return stream.ToArray();
        }

        /// <summary>Appends to a sink of the loader's.</summary>
        internal static void Send(IntPtr sink, Action<BinaryWriter> write)
        {
            Send(sink, Bytes(write));
        }

        /// <summary>Appends to a sink of the loader's.</summary>
        internal static void Send(IntPtr sink, byte[] bytes)
        {
            fixed (byte* start = bytes)
            {
                HostFunctions.Append(sink, start, (IntPtr)bytes.Length);
            }
        }

        /// <summary>Reads settings: a table of a bundle's manifest.</summary>
        internal static IReadOnlyDictionary<string, object> Table(BinaryReader reader)
        {
            int count = reader.ReadInt32();
            var table = new Dictionary<string, object>(count);
            for (int i = 0; i < count; i++)
            {
                string name = Text(reader);
                table[name] = Setting(reader);
            }
            return new System.Collections.ObjectModel.ReadOnlyDictionary<string, object>(table);
        }

        private static object Setting(BinaryReader reader)
        {
            switch (reader.ReadByte())
            {
                case 0: return Text(reader);
                case 1: return reader.ReadInt64();
                case 2: return reader.ReadDouble();
                case 3: return reader.ReadBoolean();
                case 4:
                    var list = new object[reader.ReadInt32()];
                    for (int i = 0; i < list.Length; i++)
                    {
                        list[i] = Setting(reader);
                    }
                    return new System.Collections.ObjectModel.ReadOnlyCollection<object>(list);
                default: return Table(reader);
            }
        }
    }

    /// <summary>Bytes that a function of the loader returns. The loader owns them until <see cref="Take"/>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct Reply
    {
        private byte* start;
        private IntPtr count;
        private IntPtr capacity;

        /// <summary>Returns the bytes, and gives the memory back.</summary>
        internal static byte[] Take(Reply* reply)
        {
            if (reply->start == null)
            {
                return Array.Empty<byte>();
            }
            var bytes = new byte[(long)reply->count];
            Marshal.Copy((IntPtr)reply->start, bytes, 0, bytes.Length);
            HostFunctions.Free(reply);
            *reply = default(Reply);
            return bytes;
        }

        /// <summary>Returns the bytes as a text, and gives the memory back.</summary>
        internal static string TakeText(Reply* reply)
        {
            return Encoding.UTF8.GetString(Take(reply));
        }
    }
}
