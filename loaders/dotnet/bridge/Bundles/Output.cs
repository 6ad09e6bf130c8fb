using System;
using System.Diagnostics;
using System.IO;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Polyplug.Bridge
{
    /// <summary>The console's streams: lines that code of a bundle writes go to the host's log.</summary>
    internal sealed class Output : TextWriter
    {
        private readonly Lazy<TextWriter> original;
        private readonly LogLevel level;
        private readonly ConditionalWeakTable<Bundle, StringBuilder> lines = new ConditionalWeakTable<Bundle, StringBuilder>();

        private Output(Func<Stream> open, LogLevel level)
        {
            original = new Lazy<TextWriter>(() => new StreamWriter(open(), new UTF8Encoding(false)) { AutoFlush = true });
            this.level = level;
        }

        /// <summary>Replaces the console's streams. The streams are opened when code that is not of a bundle first writes.</summary>
        internal static void Replace()
        {
            Console.SetOut(new Output(Console.OpenStandardOutput, LogLevel.Info));
            Console.SetError(new Output(Console.OpenStandardError, LogLevel.Warn));
        }

        /// <inheritdoc/>
        public override Encoding Encoding
        {
            get { return Encoding.UTF8; }
        }

        /// <inheritdoc/>
        public override void Write(char value)
        {
            Write(value.ToString());
        }

        /// <inheritdoc/>
        public override void Write(char[] buffer, int index, int count)
        {
            Write(new string(buffer, index, count));
        }

        /// <inheritdoc/>
        public override void WriteLine(string value)
        {
            Write(value + "\n");
        }

        /// <inheritdoc/>
        public override void Write(string value)
        {
            if (value == null)
            {
                return;
            }
            Bundle bundle = Writer();
            if (bundle == null)
            {
                original.Value.Write(value);
                return;
            }
            StringBuilder line = lines.GetOrCreateValue(bundle);
            lock (line)
            {
                line.Append(value);
                if (value.IndexOf('\n') < 0)
                {
                    return;
                }
                string[] complete = line.ToString().Split('\n');
                line.Clear().Append(complete[complete.Length - 1]);
                for (int i = 0; i < complete.Length - 1; i++)
                {
                    bundle.Log(level, complete[i].TrimEnd('\r'));
                }
            }
        }

        /// <inheritdoc/>
        public override void Flush()
        {
            Bundle bundle = Writer();
            if (bundle == null)
            {
                original.Value.Flush();
                return;
            }
            StringBuilder line = lines.GetOrCreateValue(bundle);
            lock (line)
            {
                if (line.Length > 0)
                {
                    bundle.Log(level, line.ToString());
                    line.Clear();
                }
            }
        }

        /// <summary>Returns the bundle whose code is the innermost on the stack, or null. Calls need not tell who they are, so that they cost nothing.</summary>
        private static Bundle Writer()
        {
            foreach (StackFrame frame in new StackTrace(2, false).GetFrames())
            {
                Assembly assembly = frame.GetMethod()?.DeclaringType?.Assembly;
                Bundle bundle = assembly == null || assembly.IsDynamic ? null : Bundle.Find(assembly);
                if (bundle != null)
                {
                    return bundle;
                }
            }
            return null;
        }
    }
}
