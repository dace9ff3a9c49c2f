// Every text of the page in one table, [English, 中文]; each {name} is replaced by a value, and {name?one:more}
// by one of two words: the first if the value is 1.

export const LANGUAGES = ["en", "zh"];

const STRINGS = {
  title: ["Watch it learn", "看它学习"],
  subtitle: ["{units} hidden {units?unit learns:units learn} to tell “{yes}” from “{no}”", "{units} 个隐藏单元学习区分“{yes}”与“{no}”"],
  colon: [": ", "："],
  language: ["中文", "English"],
  languageLabel: ["中文: change the language to Chinese", "English：把语言切换为英文"],
  theme: ["Theme", "主题"],
  "theme.auto": ["automatic", "自动"],
  "theme.light": ["light", "浅色"],
  "theme.dark": ["dark", "深色"],

  transport: ["Training", "训练"],
  play: ["Play", "播放"],
  pause: ["Pause", "暂停"],
  stepLabel: ["+{n} {n?step:steps}", "+{n} 步"],
  back: ["Back", "后退"],
  backLabel: ["Back to the previous snapshot", "后退到上一个快照"],
  reset: ["Reset", "重置"],
  resetLabel: ["Reset to the initial weights", "重置为初始权重"],
  undo: ["Undo", "撤销"],
  undoLabel: ["Undo the last change", "撤销上一次更改"],
  speed: ["Speed", "速度"],
  "speed.slow": ["slow", "慢"],
  "speed.medium": ["medium", "中"],
  "speed.full": ["full", "全速"],
  iteration: ["iteration", "迭代"],
  cost: ["cost J", "代价 J"],
  onTrain: ["accuracy, train", "训练集正确率"],
  onTest: ["accuracy, test", "测试集正确率"],
  "outcome.none": ["Not trained yet.", "尚未训练。"],
  "outcome.not finite": ["Not finite: the cost or a parameter is no longer a finite number; a smaller α usually helps.", "非有限：代价或某个参数不再是有限数；减小 α 通常有效。"],
  "outcome.dead": ["Dead: no hidden unit is active on any training picture.", "死亡：没有任何隐藏单元被任何训练图片激活。"],
  "outcome.plateau": ["Plateau: the late cost (mean of the last 5 %) is within 1 % of that of predicting the class rate.", "停滞：后期代价（最后 5 % 的平均值）与只按类别比例预测的代价相差不超过 1 %。"],
  "outcome.learning": ["Learning: the late cost (mean of the last 5 %) is below that of predicting the class rate.", "学习中：后期代价（最后 5 % 的平均值）低于只按类别比例预测的代价。"],
  "outcome.diverged": ["Diverged: the late cost (mean of the last 5 %) is above that of predicting the class rate, and above the first cost.", "发散：后期代价（最后 5 % 的平均值）高于只按类别比例预测的代价，也高于最初的代价。"],
  "outcome.slow": ["Slow: the late cost (mean of the last 5 %) is still above that of predicting the class rate, but not above the first cost.", "缓慢：后期代价（最后 5 % 的平均值）仍高于只按类别比例预测的代价，但不高于最初的代价。"],
  startNotFinite: ["Not finite: with these initial weights and pixels the cost is not a finite number; a smaller weight scale or pixel scale helps.", "非有限：以这样的初始权重和像素，代价不是有限数；减小权重尺度或像素范围即可。"],
  stopped: ["Training cannot go on from here: go back, undo or reset.", "训练无法从此处继续：请后退、撤销或重置。"],
  learningRate: ["learning rate", "学习率"],
  rateLabel: ["α learning rate", "α 学习率"],
  learningRateNumber: ["Learning rate, as a number", "学习率（数值）"],

  setup: ["Settings", "设置"],
  setupNote: ["A change here restarts the training; a change of α does not. Undo brings the training back.", "更改这里的设置会重新开始训练，更改 α 则继续训练。“撤销”可恢复原来的训练。"],
  hiddenUnits: ["hidden units", "隐藏单元"],
  activation: ["activation g", "激活函数 g"],
  "activation.relu": ["ReLU", "ReLU"],
  "activation.leaky_relu": ["leaky ReLU", "带泄漏的 ReLU"],
  "activation.sigmoid": ["sigmoid", "sigmoid"],
  start: ["initial weights", "初始权重"],
  "start.own": ["the run's own", "与原始运行相同"],
  "start.random": ["random, from a seed", "随机（由种子抽取）"],
  "start.zeros": ["all zero", "全为零"],
  "start.equal": ["all equal", "全部相等"],
  seed: ["seed", "种子"],
  otherGenerator: ["The page draws weights with {page}; the run drew its own with {run}.", "本页用 {page} 抽取权重；原始运行的权重由 {run} 抽取。"],
  weightScale: ["weight scale", "权重尺度"],
  weightScaleNumber: ["Weight scale, as a number", "权重尺度（数值）"],
  he: ["He: √(2/n)", "He：√(2/n)"],
  pixelScale: ["pixel scale", "像素范围"],
  "pixel_scale.symmetric": ["symmetric, −1 to 1", "对称，−1 到 1"],
  "pixel_scale.unit": ["unit, 0 to 1", "单位区间，0 到 1"],
  "pixel_scale.raw": ["raw, 0 to 255", "原始，0 到 255"],
  command: ["The same training as a command", "等价的命令行"],
  similarCommand: ["A similar training as a command", "近似的命令行"],
  wasChanged: ["α or a unit was changed during the training: the command uses the current α from the start, and every unit.", "训练途中更改过 α 或单元：该命令从一开始就使用当前的 α 和全部单元。"],
  inFolder: ["Run it in the folder that holds “{data}”.", "请在“{data}”所在的文件夹中运行。"],
  roundsGray: ["The page draws these weights for pictures whose grey is rounded to whole levels: its costs differ from those of the command, usually in the fourth digit.", "对于页面自行抽取的权重，灰度会取整，因此代价与该命令的结果略有差别，通常在第四位数字上。"],
  trainsOnAll: ["The command trains on all pictures, not on the sample.", "该命令使用全部图片训练，而不是只用抽取的样本。"],
  copy: ["Copy", "复制"],
  copied: ["Copied", "已复制"],
  noCommandEqual: ["no command: jaxnet train draws its initial weights at random, so they are never all equal", "没有等价的命令行：jaxnet train 随机抽取初始权重，不会全部相等"],
  noCommandData: ["no command: it is not known how these pictures are loaded at this size", "没有等价的命令行：不知道如何以此尺寸载入这些图片"],
  noCommandGenerator: ["no command: the run drew its initial weights with {generator}, for {n} hidden {n?unit:units}", "没有等价的命令行：原始运行的初始权重由 {generator} 为 {n} 个隐藏单元抽取"],
  keys: ["Space plays · → step · ⇧→ ten · ← back · + − change α · R reset · Ctrl+Z undo · Ctrl+⇧Z redo", "空格播放 · → 一步 · ⇧→ 十步 · ← 后退 · + − 改 α · R 重置 · Ctrl+Z 撤销 · Ctrl+⇧Z 恢复"],

  way: ["One picture through the network", "一张图片如何通过网络"],
  wayPicture: ["the picture", "图片"],
  wayUnits: ["hidden units: weights W₁, lit by A₁; vote = A₁ × W₂", "隐藏单元：权重 W₁，由 A₁ 点亮；投票 = A₁ × W₂"],
  wayAnswer: ["sum Z₂, probability σ(Z₂)", "总和 Z₂，概率 σ(Z₂)"],
  furtherUnits: ["{n} more", "其余 {n} 个"],
  off: ["off", "未激活"],
  silencedUnit: ["silenced", "已屏蔽"],
  pOf: ["P(“{yes}”)", "P(“{yes}”)"],
  wayRight: ["✓ says “{name}”: right", "✓ 预测“{name}”：正确"],
  wayWrong: ["✗ says “{name}”: wrong", "✗ 预测“{name}”：错误"],
  wayNoLabel: ["says “{name}”", "预测“{name}”"],
  wayHelp: ["The network gets the picture in grey. Each small picture shows the weights of one hidden unit: a brighter pixel raises its Z1 where the colour is warm and lowers it where it is cool. The more the unit responds to this picture, the less its weights are veiled; the grey bar is its A1, as a share of the largest. Its vote is A1 times W2. A wire is as wide as the vote; whole and warm: for “{yes}”; dashed and cool: for “{no}”; dotted: no vote. The votes and the bias b2 add up to Z2, and the curve σ makes a probability of it: above 50 % the network says “{yes}”.", "网络得到的是灰度图片。每张小图显示一个隐藏单元的权重：像素变亮时，暖色处提高其 Z1，冷色处降低其 Z1。单元对这张图片的反应越强，其权重图上的遮罩就越淡；灰色横条是它的 A1 与最大值之比。它的投票是 A1 乘以 W2。连线的粗细表示投票的大小：暖色实线支持“{yes}”，冷色虚线支持“{no}”，点线表示没有投票。各票与偏置 b2 相加得到 Z2，曲线 σ 把它变为概率：高于 50 % 时，网络预测“{yes}”。"],

  network: ["The network as a block diagram", "网络框图"],
  showDiagram: ["Show every matrix, with its formula", "显示所有矩阵及其公式"],
  hideDiagram: ["Hide the block diagram", "隐藏框图"],
  forward: ["forward", "前向传播"],
  backward: ["backward", "反向传播"],
  boxLabel: ["{name}, {shape}, size {size}", "{name}，{shape}，大小 {size}"],
  sizeNote: ["Under each name: its shape, and its root mean square at this iteration.", "每个名称下方：形状，以及本次迭代的均方根。"],
  help: ["What the marks mean", "图例说明"],
  networkHelp: ["The bar at the foot of a box is its root mean square, on a logarithmic scale from 10⁻⁶ to 100: blue for values and parameters, orange for derivatives. Arrows show what is computed from what.", "方框底部的横条表示均方根，采用从 10⁻⁶ 到 100 的对数尺度：蓝色为数值和参数，橙色为导数。箭头表示计算的先后关系。"],
  shapes: ["Shapes", "形状"],
  mean: ["mean of", "平均："],
  rowMeans: ["means of the rows of", "各行的平均："],
  heat: ["Values of {name}", "{name} 的数值"],
  chosenNumbers: ["For the chosen picture", "所选图片的数值"],
  valueNumbers: ["Its numbers", "各数值"],
  noDerivatives: ["Derivatives exist for training pictures only.", "只有训练图片才有导数。"],
  noPicturesHere: ["This page holds no pictures, which these values are computed from.", "本页不含计算这些数值所需的图片。"],
  balanced: ["The pictures are weighted so that both classes count alike, as in the run.", "图片已加权，使两类所占比重相同，与原始运行一致。"],
  "box.X": ["The pictures: each is one column, each row one pixel.", "图片：每列是一张图片，每行是一个像素。"],
  "box.W1": ["One row per hidden unit, one weight per pixel; drawn as pictures.", "每行一个隐藏单元，每个像素一个权重；以图片显示。"],
  "box.b1": ["The bias of each unit, added before its activation. With a very negative bias a ReLU unit is dead.", "每个单元在激活之前加上的偏置。若负得太多，ReLU 单元就会“死亡”。"],
  "box.Z1": ["For each unit and picture: the weighted sum of the pixels, plus the bias.", "对每个单元和每张图片：像素的加权和再加上偏置。"],
  "box.A1": ["The activation of each unit: g of Z1.", "每个单元的激活值：g(Z1)。"],
  "box.W2": ["The output weight of each unit: if positive, an active unit raises the probability of “{yes}”; if negative, that of “{no}”.", "每个单元的输出权重：为正时，激活的单元会提高“{yes}”的概率；为负时，会提高“{no}”的概率。"],
  "box.b2": ["The bias of the output: the value that Z2 has before any unit adds to it.", "输出的偏置：各单元投票之前已有的初始值。"],
  "box.Z2": ["The logit of each picture: the sum of W2 A1 over the units, plus b2.", "每张图片的对数几率：对各单元求 W2 A1 之和，再加上 b2。"],
  "box.A2": ["The probability of “{yes}”. The sigmoid saturates at both ends.", "“{yes}”的概率。sigmoid 在两端趋于饱和。"],
  "box.J": ["The cost: the mean loss of the training pictures. A loss says how unexpected the label is to the network.", "代价：训练图片损失的平均值。损失表示网络对标签有多“意外”。"],
  "box.dA2": ["The derivative of each picture's loss with respect to its probability.", "每张图片的损失对其概率的导数。"],
  "box.dZ2": ["The derivative of each loss with respect to Z2: probability minus label.", "每个损失对 Z2 的导数：概率减去标签。"],
  "box.dW2": ["The gradient for W2: the mean of dZ2 times A1 over the pictures.", "W2 的梯度：dZ2 乘以 A1，再对图片取平均。"],
  "box.db2": ["The gradient for b2: the mean of dZ2.", "b2 的梯度：dZ2 的平均值。"],
  "box.dA1": ["The derivative of each loss with respect to A1: dZ2 times the output weight of the unit.", "每个损失对 A1 的导数：dZ2 乘以该单元的输出权重。"],
  "box.dZ1": ["The derivative of each loss with respect to Z1: dA1 times the slope of the activation.", "每个损失对 Z1 的导数：dA1 乘以激活函数的斜率。"],
  "box.dW1": ["The gradient for W1: the mean of the pictures, each times its dZ1. A step subtracts α times this.", "W1 的梯度：每张图片乘以其 dZ1，再取平均。每一步减去它的 α 倍。"],
  "box.db1": ["The gradient for b1: the mean of dZ1 over the pictures.", "b1 的梯度：dZ1 对图片的平均值。"],

  curves: ["Curves", "曲线"],
  accuracy: ["accuracy", "正确率"],
  logarithmic: ["logarithmic", "对数坐标"],
  train: ["train", "训练集"],
  test: ["test", "测试集"],
  theRun: ["the run", "原始运行"],
  entropy: ["predicting the class rate", "只按类别比例预测"],
  constant: ["always “{name}”", "始终预测“{name}”"],
  rises: ["steps that raised the cost: {n}", "使代价上升的步数：{n}"],
  curveLabel: ["Curves: iteration {t}, {text}. Arrow keys move the cursor, Enter goes back to it.", "曲线：第 {t} 次迭代，{text}。方向键移动光标，回车键返回该处。"],
  readTrain: ["train: cost {cost}, accuracy {accuracy}", "训练集：代价 {cost}，正确率 {accuracy}"],
  readTest: ["test: cost {cost}, accuracy {accuracy}", "测试集：代价 {cost}，正确率 {accuracy}"],
  interval: ["95 % interval of the test accuracy: {low} to {high}", "测试集正确率的 95 % 置信区间：{low} 到 {high}"],
  clickBack: ["A click goes back to the nearest snapshot.", "点击曲线可回到最近的快照。"],
  curvesHelp: ["Grey, wide: the run itself. Dashed, upper chart: the cost of predicting the class rate. Dashed, lower chart: the accuracy of always predicting the class that is more frequent in training, on either split. Green band: the 95 % interval of the test accuracy. Marks on the lower edge: steps that raised the cost.", "灰色粗线：原始运行。上图虚线：只按类别比例预测的代价。下图虚线：始终预测训练集中较多的一类时，在各数据集上的正确率。绿色带：测试集正确率的 95 % 置信区间。下缘短线：使代价上升的步。"],

  units: ["Hidden units", "隐藏单元"],
  unitsNote: ["Brighter pixels raise Z1 where the colour is warm, and lower it where it is cool; one colour scale for all units.", "像素变亮时，暖色处会提高 Z1，冷色处会降低 Z1；所有单元共用同一色标。"],
  asEnded: ["No pictures here: these are the weights at the end of the run.", "本页不含图片：这是运行结束时的权重。"],
  bias: ["bias", "偏置"],
  outputWeight: ["weight W2", "权重 W2"],
  active: ["active on", "激活比例"],
  dead: ["dead", "死亡"],
  alwaysOff: ["always off", "始终不激活"],
  alwaysOn: ["always on", "始终激活"],
  equalTo: ["equal to {n}", "与 {n} 相同"],
  silence: ["silence", "屏蔽"],
  freeze: ["freeze", "冻结"],
  silenceLabel: ["Silence unit {n}", "屏蔽单元 {n}"],
  freezeLabel: ["Freeze unit {n}", "冻结单元 {n}"],
  unitLabel: ["Weights of unit {n} as a picture", "单元 {n} 的权重图"],
  withoutIt: ["without it", "去掉后"],
  points: ["{n} points", "{n} 个百分点"],
  unitsHelp: ["Bars: the output weight, to the left if negative, and the share of training pictures on which the unit is active. “Without it” is the change of the accuracy if the unit is silenced, in percentage points.", "横条：输出权重（为负时向左），以及激活该单元的训练图片所占比例。“去掉后”是屏蔽该单元时正确率的变化，以百分点计。"],

  pictures: ["Pictures", "图片"],
  sortLoss: ["by loss", "按损失"],
  sortNumber: ["by number", "按编号"],
  sorting: ["Order", "排序"],
  pictureLabel: ["{split} {n}, {label}: P = {p}, {answer}", "{split} {n}，{label}：P = {p}，{answer}"],
  right: ["right", "预测正确"],
  wrong: ["wrong", "预测错误"],
  noAnswer: ["no prediction", "没有预测"],
  picturesHelp: ["Orange frame and ✗: the prediction is wrong. Blue frame: the chosen picture. Strip below a picture: the orange part is P(“{yes}”).", "橙色边框和 ✗：预测错误。蓝色边框：所选图片。图片下方的色条：橙色部分为 P(“{yes}”)。"],
  drop: ["Drop a photo here, or choose one", "把照片拖到这里，或选择一张"],
  dropNote: ["It never leaves this page.", "照片不会离开本页。"],
  photo: ["your photo", "您的照片"],
  notAPicture: ["This browser cannot read the file as a picture. jaxnet predict also reads TIFF, JPEG 2000 and PPM.", "浏览器无法把该文件读取为图片。jaxnet predict 还能读取 TIFF、JPEG 2000 和 PPM。"],

  chosen: ["The chosen picture", "所选图片"],
  isA: ["{split} {n}: “{label}”", "{split} {n}：“{label}”"],
  says: ["P(“{yes}”) = {p}", "P(“{yes}”) = {p}"],
  lossIs: ["loss {loss}", "损失 {loss}"],
  inColor: ["in colour", "彩色原图"],
  networkInput: ["input of the network", "网络的输入"],
  pixelSlopes: ["effect of each pixel", "各像素的作用"],
  pixelSlopesNote: ["Warm: a brighter pixel raises the probability of “{yes}”; cool: that of “{no}”. Exact while the same units are active.", "暖色：像素变亮会提高“{yes}”的概率；冷色：会提高“{no}”的概率。只要激活的单元不变，结果就是精确的。"],
  pixelSlopesNoteSmooth: ["Warm: a brighter pixel raises the probability of “{yes}”; cool: that of “{no}”. Holds for small changes of this picture.", "暖色：像素变亮会提高“{yes}”的概率；冷色：会提高“{no}”的概率。适用于该图片的微小变化。"],
  noSlopes: ["Empty: no active unit votes on this picture, so a small change of a pixel does not change the probability.", "空白：没有激活的单元对这张图片投票，像素的微小变化不会改变概率。"],
  unitColumn: ["unit", "单元"],
  sum: ["sum Z2", "总和 Z2"],
  chosenHelp: ["A row is what one unit adds to Z2: W2 A1. Together with b2 they make Z2, and σ(Z2) = 1 / (1 + e^−Z2) is P(“{yes}”). Bars: to the right for “{yes}”, to the left for “{no}”.", "每行是一个单元加到 Z2 上的值：W2 A1。它们与 b2 相加得到 Z2，σ(Z2) = 1 / (1 + e^−Z2) 即 P(“{yes}”)。横条：向右支持“{yes}”，向左支持“{no}”。"],
  holdsSource: ["{name}, {m} {m?picture:pictures}", "{name}，{m} 张图片"],

  sample: ["sample: {m} of {of} pictures; the run used all of them, so its numbers differ", "样本：{of} 张中的 {m} 张；原始运行使用了全部图片，因此数值不同"],
  otherData: ["these are not the pictures that the run was trained on", "这些不是原始运行的训练图片"],
  otherRule: ["The run used {rule}; this page uses plain gradient descent on all pictures at once.", "原始运行使用了 {rule}；本页使用普通的梯度下降，每一步都用全部图片。"],
  miniBatches: ["mini-batches of {batch}", "每批 {batch} 张的小批量"],
  holds: ["This file holds {m} pictures: share it only if you may share them. It makes no network requests.", "本文件含有 {m} 张图片：只有在您有权分享这些图片时才可分享本文件。本页不会联网。"],
  holdsNot: ["This file holds no pictures: only weights, curves and the products of pictures. It makes no network requests.", "本文件不含图片：只有权重、曲线和图片之间的乘积。本页不会联网。"],
  said: ["Iteration {t}: cost {cost}, training accuracy {accuracy}.", "第 {t} 次迭代：代价 {cost}，训练集正确率 {accuracy}。"],
};

let language = 0;

/** Choose the language by its code; English if the code is unknown. */
export function setLanguage(code) {
  language = Math.max(0, LANGUAGES.indexOf(code));
}

/** Return a text in the chosen language. */
export function say(key, values = {}) {
  return STRINGS[key][language]
    .replace(/\{(\w+)\?([^:}]*):([^}]*)\}/g, (_, name, one, more) => (Number(values[name]) === 1 ? one : more))
    .replace(/\{(\w+)\}/g, (hole, name) => String(values[name] ?? hole));
}

/** Write a number with a few significant digits, or with an exponent. */
export function brief(number, digits = 3) {
  if (!Number.isFinite(number)) return String(number).replace("Infinity", "∞").replace("-", "−");
  if (number === 0) return "0";
  const size = Math.abs(number);
  const text = size >= 1e-3 && size < 1e5 ? plain(number, digits) : number.toExponential(1);
  return text.replaceAll("-", "−");
}

function plain(number, digits) {
  const after = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(number))));
  return number.toFixed(Math.min(after, 8));
}

/** Write a share as per cent; a dash if it is not known. */
export function percent(share) {
  if (!Number.isFinite(share)) return "–";
  return `${(100 * share).toFixed(1)} %`;
}
