using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Text;

namespace Polyplug.Bridge
{
    /// <summary>The faults of calls, as the loader reads them.</summary>
    internal static class Faults
    {
        private const byte Exceptional = 1;
        private const byte Value = 2;
        private const byte Call = 3;

        /// <summary>Sends the fault of a value, and returns the status of the call.</summary>
        internal static int Send(IntPtr sink, ValueException wrong, int stage)
        {
            Wire.Send(sink, writer =>
            {
                writer.Write(Value);
                writer.Write(stage);
                wrong.Encode(writer);
            });
            return 1;
        }

        /// <summary>Sends an exception of a bundle's code, and returns the status of the call.</summary>
        /// <param name="sink">Where the loader reads the fault.</param>
        /// <param name="failure">The exception.</param>
        /// <param name="bundle">The bundle whose code ran.</param>
        /// <param name="called">The method that was called, whose own frame is missing where the CLR has inlined it.</param>
        /// <param name="note">What follows the exception's message.</param>
        internal static int Send(IntPtr sink, Exception failure, Bundle bundle, MethodInfo called = null, string note = "")
        {
            var wrapped = failure as AggregateException;
            while (wrapped != null && wrapped.InnerExceptions.Count == 1)
            {
                failure = wrapped.InnerException;
                wrapped = failure as AggregateException;
            }
            if (failure is CallException call && call.Address != IntPtr.Zero)
            {
                Wire.Send(sink, writer =>
                {
                    writer.Write(Call);
                    writer.Write((long)call.Address);
                });
                GC.KeepAlive(call);
                return 1;
            }
            string message = Describe(failure) + note;
            string location = Location(failure, bundle) ?? (called == null ? null : PlaceOf(called, bundle));
            string traceback = Traceback(failure, called);
            Wire.Send(sink, writer =>
            {
                writer.Write(Exceptional);
                Wire.Text(writer, message);
                Wire.OptionalText(writer, location);
                Wire.OptionalText(writer, traceback);
            });
            return 1;
        }

        /// <summary>Returns type and message of an exception. The exception's own code may fail.</summary>
        internal static string Describe(Exception failure)
        {
            if (failure is MismatchException || failure is ValueException || failure is BundleException)
            {
                return failure.Message;
            }
            if (failure is DeclaredException declared && declared.Account != null)
            {
                return declared.Account;
            }
            string name = TypeName(failure);
            try
            {
                var text = new StringBuilder(name + ": " + failure.Message);
                for (Exception inner = failure.InnerException; inner != null; inner = inner.InnerException)
                {
                    text.Append(" ---> ").Append(TypeName(inner)).Append(": ").Append(inner.Message);
                }
                return text.ToString();
            }
            catch (Exception other)
            {
                return name + " (its message failed: " + other.GetType().Name + ")";
            }
        }

        private static string TypeName(Exception failure)
        {
            return failure is DeclaredException ? TypeNames.Of(failure.GetType()) : failure.GetType().FullName;
        }

        private static string Traceback(Exception failure, MethodInfo called)
        {
            try
            {
                var text = new StringBuilder();
                for (Exception inner = failure; inner != null; inner = inner.InnerException)
                {
                    if (inner.StackTrace == null)
                    {
                        continue;
                    }
                    if (inner != failure)
                    {
                        text.Append("\n ---> ").Append(TypeName(inner)).Append('\n');
                    }
                    IEnumerable<string> lines = inner.StackTrace.Split('\n').Where(line => !IsOwn(line));
                    if (inner == failure)
                    {
                        // What lies between the loader and a constructor.
                        lines = lines.Reverse().SkipWhile(IsReflection).Reverse().ToArray();
                    }
                    text.Append(string.Join("\n", lines));
                    if (inner == failure && called != null && !lines.Any(line => line.Contains(NameOf(called))))
                    {
                        // A small method may have become a part of the compiled code that calls it.
                        text.Append(lines.Any() ? "\n" : "").Append("   at ").Append(NameOf(called))
                            .Append(string.Join(", ", called.GetParameters().Select(of => of.ParameterType.Name + " " + of.Name)))
                            .Append(')');
                    }
                }
                return text.Length == 0 ? null : text.ToString();
            }
            catch (Exception)
            {
                return null;
            }
        }

        /// <summary>Returns the beginning of a method's line in a stack trace, up to the parameters.</summary>
        private static string NameOf(MethodInfo method)
        {
            return method.DeclaringType.FullName.Replace('+', '.') + "." + method.Name + "(";
        }

        /// <summary>Returns whether a line of a stack trace is of this assembly or of code that it compiled.</summary>
        private static bool IsOwn(string line)
        {
            int arguments = line.IndexOf('(');
            bool isCompiled = arguments >= 0 && line.IndexOf('.', 0, arguments) < 0;
            string[] own = { "(MethodEntry", "(Marshaller[]", "(BodyParts", "(Remote" };
            return line.Contains(" Polyplug.Bridge.") || (isCompiled && own.Any(part => line.Contains(part)));
        }

        /// <summary>Returns whether a line of a stack trace is of reflection.</summary>
        private static bool IsReflection(string line)
        {
            return line.Contains(" System.Reflection.") || line.Contains(" System.RuntimeMethodHandle.");
        }

        /// <summary>Returns the file and line in the bundle's code where an exception was thrown, or null if there is no pdb.</summary>
        private static string Location(Exception failure, Bundle bundle)
        {
            try
            {
                // The innermost exception tells where it all began.
                StackFrame[] frames = new StackTrace(failure, true).GetFrames() ?? Array.Empty<StackFrame>();
                StackFrame found = frames.FirstOrDefault(frame => frame.GetFileName() != null && frame.GetFileLineNumber() > 0
                    && bundle != null && bundle.Has(frame.GetMethod()?.DeclaringType?.Assembly));
                return found == null ? null : FileName(found.GetFileName()) + ":" + found.GetFileLineNumber();
            }
            catch (Exception)
            {
                return null;
            }
        }

        /// <summary>Returns the file and line where a method begins, or null if there is no pdb.</summary>
        internal static string PlaceOf(MethodInfo method, Bundle bundle)
        {
            try
            {
                Stream symbols = bundle.Symbols(method.Module.Assembly);
                if (symbols == null)
                {
                    return null;
                }
                using (MetadataReaderProvider provider = MetadataReaderProvider.FromPortablePdbStream(symbols))
                {
                    MetadataReader reader = provider.GetMetadataReader();
                    var handle = (MethodDefinitionHandle)MetadataTokens.EntityHandle(method.MetadataToken);
                    MethodDebugInformation lines = reader.GetMethodDebugInformation(handle.ToDebugInformationHandle());
                    foreach (SequencePoint point in lines.GetSequencePoints())
                    {
                        if (!point.IsHidden)
                        {
                            string file = reader.GetString(reader.GetDocument(point.Document).Name);
                            return FileName(file) + ":" + point.StartLine;
                        }
                    }
                }
                return null;
            }
            catch (Exception)
            {
                // A place is worth less than the fault that it belongs to.
                return null;
            }
        }

        /// <summary>Returns the last part of a path, which may be one of another system.</summary>
        private static string FileName(string path)
        {
            return path.Substring(path.LastIndexOfAny(new[] { '/', '\\' }) + 1);
        }
    }

    /// <summary>A failure to load or use a bundle, whose message is for the bundle's author.</summary>
    internal sealed class BundleException : Exception
    {
        internal BundleException(string message) : base(message)
        {
        }
    }
}
