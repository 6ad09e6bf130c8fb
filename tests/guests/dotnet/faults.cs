// Fails in every way.
using System;
using System.Globalization;
using System.IO;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Polyplug;

namespace Faults
{
    /// <summary>An exception of this plugin's own, whose message has a line for each of its parts.</summary>
    public sealed class TroubleException : Exception
    {
        public TroubleException(string message, Exception inner) : base(message, inner)
        {
        }
    }

    /// <summary>An exception that cannot say what it is.</summary>
    public sealed class MuteException : Exception
    {
        public override string Message => throw new InvalidOperationException("no message");

        public override string StackTrace => throw new InvalidOperationException("no trace");
    }

    /// <summary>Throws when it is collected.</summary>
    public sealed class Last
    {
        ~Last()
        {
            throw new InvalidOperationException("a finaliser fails");
        }
    }

    [Plugin("test.script@1")]
    public sealed class Script : IDisposable
    {
        private bool failsAtTheEnd;

        public string Run(string code)
        {
            switch (code)
            {
                case "fine":
                    return "fine";
                case "plain":
                    return Plain();
                case "inner":
                    return Inner();
                case "own":
                    throw new TroubleException("no ink", new TroubleException("empty", null));
                case "mute":
                    throw new MuteException();
                case "null message":
                    throw new Exception(null);
                case "thrown null":
                    throw null;
                case "zero":
                    return (1 / (code.Length - 4)).ToString();
                case "null":
                    return Null(null).ToString();
                case "caught null":
                    return Caught();
                case "index":
                    return new int[0][code.Length].ToString();
                case "cast":
                    return (string)(object)new object();
                case "memory":
                    return new byte[int.MaxValue].Length.ToString();
                case "aggregate":
                    return Task.Run(new Func<string>(() => throw new TimeoutException("too late"))).Result;
                case "many":
                    Task.WaitAll(Fail("one"), Fail("two"));
                    return "";
                case "task":
                    return Fail("later").GetAwaiter().GetResult();
                case "static":
                    return Broken.Text;
                case "call":
                    return Host.Get<IDisposable>("test.nothing@1").ToString();
                case "bad":
                    return Host.Get<IDisposable>("nothing").ToString();
                case "small":
                    return Small(code);
                case "end":
                    failsAtTheEnd = true;
                    return "set";
                case "console":
                    Console.WriteLine("a line");
                    Console.Error.Write("half ");
                    Console.Error.WriteLine("a warning {0}", 5);
                    return "written";
                case "log":
                    Log.Error("e");
                    Log.Warn("w");
                    Log.Info("i");
                    Log.Debug("d");
                    Log.Trace("t");
                    PluginContext.Current.Log(LogLevel.Info, "Grüße 🦀");
                    return "logged";
                case "culture":
                    return 1.5.ToString("N1", CultureInfo.GetCultureInfo("de-DE"));
                case "unobserved":
                    Forget();
                    GC.Collect();
                    GC.WaitForPendingFinalizers();
                    return "forgotten";

                // These end the process.
                case "overflow":
                    return Deep(0).ToString();
                case "exit":
                    Environment.Exit(7);
                    return "";
                case "fail fast":
                    Environment.FailFast("enough");
                    return "";
                case "thread":
                    new Thread(() => throw new InvalidOperationException("a thread fails")).Start();
                    Thread.Sleep(10000);
                    return "";
                case "async void":
                    AsyncVoid();
                    Thread.Sleep(10000);
                    return "";
                case "finaliser":
                    Make();
                    GC.Collect();
                    GC.WaitForPendingFinalizers();
                    return "";
                case "abort":
                    Marshal.WriteInt32(IntPtr.Zero, 5);
                    return "";
                default:
                    throw new ArgumentException(code);
            }
        }

        public void Dispose()
        {
            if (failsAtTheEnd)
            {
                throw new InvalidOperationException("the end fails");
            }
        }

        private static string Plain()
        {
            throw new InvalidOperationException("plain"); // here
        }

        private static string Inner()
        {
            try
            {
                throw new FileNotFoundException("no paper");
            }
            catch (Exception failure)
            {
                throw new TroubleException("cannot print", failure);
            }
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static int Null(string text) => text.Length;

        // Gives its frame to what it calls last.
        private static string Small(string code) => Plain();

        private static string Caught()
        {
            try
            {
                return Null(null).ToString();
            }
            catch (NullReferenceException)
            {
                return "caught";
            }
        }

        private static async Task<string> Fail(string words)
        {
            await Task.Yield();
            throw new InvalidOperationException(words);
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static void Forget()
        {
            Task failing = Task.FromException(new InvalidOperationException("nobody asks"));
            GC.KeepAlive(failing);
        }

        private static async void AsyncVoid()
        {
            await Task.Yield();
            throw new InvalidOperationException("nobody waits");
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static void Make()
        {
            GC.KeepAlive(new Last());
        }

        private static int Deep(int level) => level < 0 ? 0 : Deep(level + 1) + 1;
    }

    internal static class Broken
    {
        internal static readonly string Text = Fail();

        private static string Fail() => throw new InvalidOperationException("the type fails");
    }
}
