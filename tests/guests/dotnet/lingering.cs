// Leaves things behind that keep its code in memory, or ends them in time.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Polyplug;

[Plugin("test.script@1", Singleton = true)]
public sealed class Script : IDisposable
{
    // Of this version alone, so that it goes with it.
    private static readonly List<object> Kept = new List<object>();
    private static volatile bool isOver;

    public string Run(string code)
    {
        if (code == "is it alive")
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return ((WeakReference)AppDomain.CurrentDomain.GetData("lingering")).IsAlive.ToString();
        }
        // Outlives the version, and keeps nothing of it.
        AppDomain.CurrentDomain.SetData("lingering", new WeakReference(this));
        switch (code)
        {
            case "nothing":
                return "nothing";
            case "statics":
                Kept.Add(new byte[1 << 20]);
                Kept.Add(new Func<string>(() => Run(code)));
                return "kept";
            case "event":
                AppDomain.CurrentDomain.ProcessExit += OnExit;
                return "added";
            case "event removed":
                AppDomain.CurrentDomain.ProcessExit += OnExit;
                PluginContext.Current.OnUnload(() => AppDomain.CurrentDomain.ProcessExit -= OnExit);
                return "added";
            case "timer":
                Kept.Add(new Timer(Tick, null, 10, 10));
                return "started";
            case "timer disposed":
                var timer = new Timer(Tick, null, 10, 10);
                PluginContext.Current.OnUnload(timer.Dispose);
                return "started";
            case "thread":
                Start("lingering");
                return "started";
            case "thread ended":
                Thread thread = Start("ending");
                PluginContext.Current.OnUnload(() =>
                {
                    isOver = true;
                    thread.Join();
                });
                return "started";
            case "handle":
                GCHandle.Alloc(this);
                return "allocated";
            case "pinned":
                GCHandle.Alloc(new int[4], GCHandleType.Pinned);
                return "pinned";
            case "task":
                Task.Run(() => Wait());
                return "started";
            case "brief":
                Task.Run(() => Thread.Sleep(500));
                return "started";
            case "tasks done":
                Task.WaitAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => Thread.Sleep(1))).ToArray());
                return "done";
            case "thread local":
                Local.Value = this;
                return "set";
            case "async local":
                Flowing.Value = this;
                return "set";
            case "unload throws":
                PluginContext.Current.OnUnload(() => Log.Info("still called"));
                PluginContext.Current.OnUnload(() => throw new InvalidOperationException("cannot end"));
                PluginContext.Current.OnUnload(() => Log.Info("first of all"));
                return "set";
            default:
                throw new ArgumentException(code);
        }
    }

    public void Dispose() => Log.Info("disposed");

    private static readonly ThreadLocal<object> Local = new ThreadLocal<object>();
    private static readonly AsyncLocal<object> Flowing = new AsyncLocal<object>();

    private static void OnExit(object sender, EventArgs arguments)
    {
    }

    private static void Tick(object state)
    {
    }

    private static Thread Start(string name)
    {
        var thread = new Thread(Wait) { Name = name, IsBackground = true };
        thread.Start();
        return thread;
    }

    private static void Wait()
    {
        while (!isOver)
        {
            Thread.Sleep(5);
        }
    }
}
