// Results that are there later, in every circumstance.
using System;
using System.Threading;
using System.Threading.Tasks;
using Polyplug;

/// <summary>Keeps what is posted for a thread that never comes.</summary>
public sealed class Stuck : SynchronizationContext
{
    public override void Post(SendOrPostCallback work, object state)
    {
    }
}

[Plugin("test.script@1", Singleton = true)]
public sealed class Script
{
    private readonly AsyncLocal<string> local = new AsyncLocal<string>();

    public Task<string> RunAsync(string code)
    {
        switch (code)
        {
            case "stuck":
                // Stays with the thread after the call.
                SynchronizationContext.SetSynchronizationContext(new Stuck());
                return Task.FromResult("set");
            case "later":
                return Later();
            case "context":
                return Task.FromResult(SynchronizationContext.Current?.GetType().Name ?? "none");
            case "scheduler":
                return Task.Factory.StartNew(
                    () => TaskScheduler.Current == TaskScheduler.Default ? "default" : "another", default(CancellationToken),
                    TaskCreationOptions.None, TaskScheduler.Default);
            case "null":
                return null;
            case "cancelled":
                return Task.FromCanceled<string>(new CancellationToken(true));
            case "two":
                return Two();
            case "null result":
                return Task.FromResult<string>(null);
            case "local":
                return Local();
            case "never":
                return new TaskCompletionSource<string>().Task;
            default:
                throw new ArgumentException(code);
        }
    }

    private static async Task<string> Later()
    {
        // Continues where the context says, without `ConfigureAwait`.
        await Task.Yield();
        await Task.Delay(1);
        return "later";
    }

    private static async Task<string> Two()
    {
        Task both = Task.WhenAll(
            Task.FromException(new InvalidOperationException("one")), Task.FromException(new InvalidOperationException("two")));
        await both;
        return "";
    }

    private async Task<string> Local()
    {
        string before = local.Value ?? "nothing";
        local.Value = "set";
        await Task.Yield();
        return before + " " + local.Value;
    }
}
