"""Lambda: what goes wrong inside the function, its package, its process and its resources."""

from domain.causes.row import rows

PACKAGE = rows(
    "lambda",
    (
        "lambda-import-error-python",
        "a Python module cannot be imported",
        "Put the module back into the package or layer, built for Lambda's platform, or roll back to the last version.",
        "lambda/latest/dg/troubleshooting-deployment.html",
    ),
    (
        "lambda-import-error-node",
        "a Node.js module cannot be found",
        "Bundle the missing module and check that Handler and the module type match the files, or roll back.",
        "lambda/latest/dg/troubleshooting-deployment.html",
    ),
    (
        "lambda-import-native-arch",
        "a native library does not fit the platform",
        "Compile native dependencies for the function's architecture and system, or undo the architecture change.",
        "lambda/latest/dg/troubleshooting-deployment.html",
    ),
    (
        "lambda-handler-not-found",
        "the configured handler does not exist in the code",
        "Set Handler to a file and function that the deployed code exports, or roll back the rename.",
        "lambda/latest/dg/troubleshooting-deployment.html",
    ),
    (
        "lambda-class-not-found",
        "the handler's class is not in the deployed archive",
        "Correct the class in Handler, or rebuild the jar or assembly so that it contains the class.",
        "lambda/latest/dg/troubleshooting-deployment.html",
    ),
    (
        "lambda-syntax-error",
        "the deployed code does not parse",
        "Roll back to the last working version; then fix the syntax or choose the runtime that the code needs.",
        "lambda/latest/dg/troubleshooting-deployment.html",
    ),
    (
        "lambda-permission-on-files",
        "the runtime has no right to read the code's files",
        "Rebuild the archive with mode 644 for files and 755 for folders and executables.",
        "lambda/latest/dg/troubleshooting-deployment.html",
    ),
    (
        "lambda-bootstrap-missing",
        "the program to start is missing or not executable",
        "Ship an executable `bootstrap` (mode 755) built for the function's architecture, or correct the entry point.",
        "lambda/latest/dg/troubleshooting-images.html",
    ),
    (
        "lambda-wrapper-not-found",
        "the wrapper script to start with does not exist",
        "Attach the layer that holds the script again, or correct the path in AWS_LAMBDA_EXEC_WRAPPER.",
        "lambda/latest/dg/runtimes-modify.html",
    ),
    (
        "lambda-env-4kb",
        "environment variables exceed their size limit",
        "Keep large values in Parameter Store or Secrets Manager and leave only their names in the environment.",
        "lambda/latest/dg/troubleshooting-deployment.html",
    ),
    (
        "lambda-missing-env-var",
        "an environment variable is missing from its settings",
        "Set the variable again with its former value, or roll back the change that removed it.",
        "lambda/latest/dg/configuration-envvars.html",
    ),
    (
        "lambda-runtime-deprecated",
        "the runtime is no longer supported",
        "Move the function to a supported runtime; until then neither code nor configuration may be updatable.",
        "lambda/latest/dg/lambda-runtimes.html",
    ),
    (
        "lambda-image-deleted",
        "the container image is gone or not accessible",
        "Push the image again or restore the repository policy, then redeploy the function.",
        "lambda/latest/api/API_GetFunctionConfiguration.html",
    ),
)

PROCESS = rows(
    "lambda",
    (
        "lambda-timeout",
        "invocations run into the function timeout",
        "Find the call that was pending and give it a shorter timeout of its own. Raise Timeout only for real work.",
        "lambda/latest/dg/troubleshooting-networking.html",
        "generic",
    ),
    (
        "lambda-timeout-all-invocations-after-change",
        "every invocation times out since a configuration change",
        "Restore the previous timeout, memory or network setting, or point the alias back to the previous version.",
        "lambda/latest/dg/configuration-function-common.html",
    ),
    (
        "lambda-timeout-in-init",
        "initialisation exceeds its time limit",
        "Move work out of global scope and shrink the package; if that fails, raise memory or keep environments warm.",
        "lambda/latest/dg/lambda-runtime-environment.html",
    ),
    (
        "lambda-oom",
        "invocations run out of memory and are killed",
        "Give it more memory now. Then stream large data, and see whether use grows from one invocation to the next.",
        "lambda/latest/dg/troubleshooting-invocation.html",
    ),
    (
        "lambda-oom-python-memoryerror",
        "an allocation fails inside the Python process",
        "Process the data in pieces, or raise MemorySize.",
        "lambda/latest/dg/troubleshooting-execution.html",
    ),
    (
        "lambda-oom-node-heap",
        "the JavaScript heap is full",
        "Find what holds the objects. Meanwhile raise MemorySize, or the heap limit in NODE_OPTIONS.",
        "lambda/latest/dg/troubleshooting-execution.html",
    ),
    (
        "lambda-runtime-exit",
        "the runtime process exits during the invocation",
        "Take exit calls out of the handler; if there are none, find the native library that crashes.",
        "lambda/latest/dg/troubleshooting-invocation.html",
        "generic",
    ),
    (
        "lambda-unhandled-exception",
        "the code raises an exception that nothing handles",
        "Start at the first own frame of the stack trace. If a new version began it, roll back first.",
        "lambda/latest/dg/troubleshooting-invocation.html",
        "generic",
    ),
    (
        "lambda-marshal-error",
        "the return value cannot be turned into JSON",
        "Convert dates, decimals and objects to JSON values before returning them.",
        "lambda/latest/dg/python-handler.html",
    ),
    (
        "lambda-response-too-large",
        "the response exceeds the size limit",
        "Store the result in S3 and return a presigned link, page it, or stream the response.",
        "lambda/latest/dg/gettingstarted-limits.html",
    ),
    (
        "lambda-request-too-large",
        "the invocation payload exceeds the size limit",
        "Store the payload in S3 and pass its key to the function.",
        "lambda/latest/api/API_Invoke.html",
    ),
    (
        "lambda-readonly-fs",
        "the code writes where the file system is read-only",
        "Write below /tmp, or mount EFS for files that must last.",
        "lambda/latest/dg/lambda-runtime-environment.html",
    ),
    (
        "lambda-tmp-full",
        "the temporary storage is full",
        "Delete temporary files at the end of each invocation, or raise EphemeralStorage.",
        "lambda/latest/dg/configuration-ephemeral-storage.html",
    ),
    (
        "lambda-fd-exhausted",
        "file descriptors or sockets are used up",
        "Create clients once, outside the handler, and close every file and connection that the handler opens.",
        "lambda/latest/dg/gettingstarted-limits.html",
    ),
    (
        "lambda-cold-start",
        "cold starts make requests slow",
        "Shorten initialisation, or keep environments warm with provisioned concurrency or SnapStart.",
        "lambda/latest/dg/lambda-runtime-environment.html",
    ),
    (
        "lambda-snapstart",
        "the SnapStart snapshot cannot be made or restored",
        "Fix the hook that fails or runs too long, publish a version, and wait until it is active.",
        "lambda/latest/api/API_Invoke.html",
    ),
    (
        "lambda-efs-mount",
        "the EFS file system cannot be mounted",
        "Check mount target and access point, open port 2049 between the security groups, and grant the mount action.",
        "lambda/latest/dg/troubleshooting-invocation.html",
    ),
    (
        "downstream-http-error",
        "calls to a remote service fail or get no answer",
        "Ask the provider for its status; meanwhile time out early, retry with backoff and open a circuit breaker.",
        "xray/latest/devguide/xray-console-servicemap.html",
        "generic",
    ),
)

CAUSES = PACKAGE + PROCESS
